"""Deterministic resource ids: UUIDv5 of namespace, record kind, key and part (decisions 7)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha1

MakeId = Callable[[str, tuple[str, ...], str], str]
"""(record kind, key, part) -> id of that resource."""


def resource_id(namespace: uuid.UUID, kind: str, key: tuple[str, ...], part: str = "") -> str:
    """The id of one resource of a record; equal to ``uuid.uuid5`` of the parts joined by U+001F.

    The separator is a control character, which no key may hold, so that different keys never meet.
    """
    return maker(namespace)(kind, key, part)


@lru_cache(maxsize=16)
def maker(namespace: uuid.UUID) -> MakeId:
    """``resource_id`` of one namespace; remembers the last ids, since references repeat them."""
    start = sha1(namespace.bytes, usedforsecurity=False)

    @lru_cache(maxsize=1 << 13)
    def make(kind: str, key: tuple[str, ...], part: str) -> str:
        hashed = start.copy()
        hashed.update("\x1f".join((kind, *key, part)).encode())
        digest = bytearray(hashed.digest()[:16])
        digest[6] = digest[6] & 0x0F | 0x50
        digest[8] = digest[8] & 0x3F | 0x80
        text = digest.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    return make
