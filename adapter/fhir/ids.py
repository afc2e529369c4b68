"""Deterministic resource ids: UUIDv5 of namespace, record kind, key and part (decisions 7)."""

from __future__ import annotations

import uuid
from functools import lru_cache
from hashlib import sha1


@lru_cache(maxsize=1 << 13)
def resource_id(namespace: uuid.UUID, kind: str, key: tuple[str, ...], part: str = "") -> str:
    """The id of one resource of a record; equal to ``uuid.uuid5`` of the parts joined by U+001F.

    The separator is a control character, which no key may hold, so that different keys never meet.
    """
    name = "\x1f".join((kind, *key, part)).encode()
    digest = bytearray(sha1(namespace.bytes + name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
