"""`instruments.yaml`: bounds, step, direction and unit of the outcome tools, exact."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from adapter.catalog.files import Fail, Files, within
from adapter.catalog.model import CodeList, Instrument
from adapter.catalog.rows import Row

_DIRECTIONS = ("lower_better", "higher_better")
_KINDS = ("pain", "function")
_INSTRUMENT_WORDS = {"kind", "min", "max", "step", "direction", "unit", "note"}


def instruments(files: Files, lists: dict[str, CodeList]) -> dict[str, Instrument]:
    file = files.root / "instruments.yaml"
    fail = files.fail(file)
    raw, known = files.yaml(file), lists.get("instrument")
    if known is None:
        raise fail("there is no code list 'instrument'")
    if wrong := set(raw) ^ set(known.codes):
        raise fail(f"instrument {min(wrong)!r} must be here and in the list 'instrument'")
    out = {}
    for code, display in known.codes.items():
        row = raw[code]
        if not isinstance(row, Row):
            raise fail(f"{code}: is not a mapping of words to values")
        out[code] = _instrument(code, display, row, within(fail, f"line {row.line}: {code}"))
    return out


def _instrument(code: str, display: str, row: Row, fail: Fail) -> Instrument:
    if unknown := set(row) - _INSTRUMENT_WORDS:
        raise fail(f"unknown word {min(unknown)!r}")
    if missing := _INSTRUMENT_WORDS - {"note"} - set(row):
        raise fail(f"{min(missing)!r} is missing")
    if row["kind"] not in _KINDS:
        raise fail(f"kind is not one of {', '.join(_KINDS)}")
    if row["direction"] not in (*_DIRECTIONS, None):
        raise fail(f"direction is not one of {', '.join(_DIRECTIONS)}")
    if not isinstance(row["unit"], str) or not row["unit"]:
        raise fail("unit is not a UCUM unit")

    def exact(word: str, value: Any) -> Decimal:
        if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
            raise fail(f"{word} is not a quoted decimal")
        return Decimal(value)

    low, high, step = (None if row[w] is None else exact(w, row[w]) for w in ("min", "max", "step"))
    if (low is None) != (high is None) or (low is None and step is not None):
        raise fail("min, max and step: both bounds or none; a step needs bounds")
    if low is not None and high is not None and low >= high:
        raise fail("max does not lie above min")
    if low is not None and high is not None and step is not None and (step <= 0 or (high - low) % step):
        raise fail("step does not lead from min to max")
    return Instrument(code, display, row["kind"], low, high, step, row["direction"], row["unit"])
