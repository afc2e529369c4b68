"""Where in a record the strict decoder met what it refuses: the paths of the fields, for the report.

Only ever run on refused input. It decodes once more, tolerantly, and looks for what the rule names. Values
are looked at, never shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from .base import safe_id, safe_name


class _Marked:
    """A value the rule refuses."""


def _float(text: str) -> Any:
    return _Marked() if "e" in text.lower() else 0


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[name] = _Marked() if name in found else value
    return found


def _control(text: str) -> bool:
    return any(char < " " or "\x7f" <= char <= "\x9f" for char in text)


def _surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


_HOOKS: dict[str, dict[str, Any]] = {
    "nan": {"parse_constant": lambda _: _Marked()},
    "exponent": {"parse_float": _float},
    "duplicate_key": {"object_pairs_hook": _pairs},
    "control": {},
    "surrogate": {},
}
_TEXTS: dict[str, Callable[[str], bool]] = {"control": _control, "surrogate": _surrogate}


def locate(data: bytes, rule: str) -> tuple[str | None, tuple[str, ...]]:
    """The record id, where it is known, and the paths (items counted from 1) of what broke a codec rule."""
    if rule not in _HOOKS:
        return None, ()
    try:
        value = json.loads(data, strict=False, **_HOOKS[rule])
    except (ValueError, RecursionError):
        return None, ()
    return safe_id(value), tuple(dict.fromkeys(_walk(value, "", _TEXTS.get(rule, lambda _: False))))


def _walk(value: Any, path: str, wrong: Callable[[str], bool]) -> Iterator[str]:
    if isinstance(value, _Marked) or (isinstance(value, str) and wrong(value)):
        yield path
    elif isinstance(value, dict):
        for name, below in value.items():
            step = safe_name(name)
            if wrong(name):
                yield path
            yield from _walk(below, f"{path}.{step}" if path else step, wrong)
    elif isinstance(value, list):
        for number, below in enumerate(value, 1):
            yield from _walk(below, f"{path}.{number}" if path else str(number), wrong)
