"""`instruments.yaml`: bounds, step, direction, unit, items and scorings of the outcome tools, exact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapter.catalog.files import Fail, Files, within
from adapter.catalog.model import CodeList, Instrument, ItemScores, Source
from adapter.catalog.rows import Row

_DIRECTIONS = ("lower_better", "higher_better")
_KINDS = ("pain", "function")
_TOTALS = ("sum", "mean", "percent")
_MUST = {"kind", "min", "max", "step", "direction", "unit"}
_MAY = {"note", "value", "by", "variants", "items", "total", "subscales", "needs", "sources"}
_OF_VARIANT = {"min", "max", "step", "direction", "unit", "total", "note"}
_EXACT = re.compile(r"-?[0-9]+(\.[0-9]+)?").fullmatch


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
        out[code] = _instrument(code, display, row, lists, within(fail, f"line {row.line}: {code}"))
    return out


def _instrument(code: str, display: str, row: Row, lists: Mapping[str, CodeList], fail: Fail) -> Instrument:
    if unknown := set(row) - _MUST - _MAY:
        raise fail(f"unknown word {min(unknown)!r}")
    if missing := _MUST - set(row):
        raise fail(f"{min(missing)!r} is missing")
    if row["kind"] not in _KINDS:
        raise fail(f"kind is not one of {', '.join(_KINDS)}")
    if ("by" in row) != ("variants" in row):
        raise fail("by and variants come together")
    variants = _mapping(row.get("variants", {}), "variants", fail)
    if not variants and not row["unit"]:
        raise fail("unit is not a UCUM unit")
    by = row.get("by")
    if by is not None and (wrong := set(variants) - set(_list(str(by), lists, fail).codes)):
        raise fail(f"variants: {min(wrong)!r} is not a code of the list of {by}")
    subscales = _words(row.get("subscales", []), "subscales", fail)
    if subscales and (wrong := set(subscales) - set(_list("subscale", lists, fail).codes)):
        raise fail(f"subscales: {min(wrong)!r} is not in the list 'subscale'")
    common = {
        "code": code, "display": display, "kind": row["kind"], "value": str(row.get("value", "score")),
        "subscales": subscales, "needs": _words(row.get("needs", []), "needs", fail),
        "items": _items(row["items"], within(fail, "items")) if "items" in row else None,
        "sources": {
            unit: _source(said, within(fail, unit))
            for unit, said in _mapping(row.get("sources", {}), "sources", fail).items()
        },
    }  # fmt: skip
    made = {}
    for name, variant in variants.items():
        inner = within(fail, name)
        if unknown := set(_mapping(variant, "a variant", inner)) - _OF_VARIANT:
            raise inner(f"unknown word {min(unknown)!r}")
        made[name] = Instrument(**common, **_scale({**row, **variant}, inner))
    return Instrument(**common, **_scale(row, fail), by=by, variants=made)


def _scale(row: Mapping[str, Any], fail: Fail) -> dict[str, Any]:
    """Bounds, step, direction, unit and how the items make the total."""
    if row["direction"] not in (*_DIRECTIONS, None):
        raise fail(f"direction is not one of {', '.join(_DIRECTIONS)}")
    if not isinstance(row["unit"], str | None):
        raise fail("unit is not a UCUM unit")
    if row.get("total") not in (*_TOTALS, None):
        raise fail(f"total is not one of {', '.join(_TOTALS)}")
    low, high, step = (None if row[w] is None else _exact(w, row[w], fail) for w in ("min", "max", "step"))
    if (low is None) != (high is None) or (low is None and step is not None):
        raise fail("min, max and step: both bounds or none; a step needs bounds")
    if low is not None and high is not None and low >= high:
        raise fail("max does not lie above min")
    if low is not None and high is not None and step is not None and (step <= 0 or (high - low) % step):
        raise fail("step does not lead from min to max")
    return {
        "min": low, "max": high, "step": step, "direction": row["direction"], "unit": row["unit"] or "",
        "total": row.get("total"),
    }  # fmt: skip


def _items(row: Any, fail: Fail) -> ItemScores:
    """``{count: 10, min: "0", max: "5"}`` or ``{count: 6, scores: ["6", "8"]}``."""
    if not isinstance(row, Row) or set(row) not in ({"count", "scores"}, {"count", "min", "max"}):
        raise fail("count with scores, or count with min and max")
    if type(row["count"]) is not int or row["count"] < 1:
        raise fail("count is not a number of items")
    if "scores" in row:
        scores = tuple(_exact("scores", each, fail) for each in row["scores"])
        return ItemScores(row["count"], min(scores), max(scores), scores)
    return ItemScores(row["count"], _exact("min", row["min"], fail), _exact("max", row["max"], fail), ())


def _source(row: Any, fail: Fail) -> Source:
    if not isinstance(row, Row) or set(row) != {"unit", "factor"}:
        raise fail("unit and factor")
    return Source(str(row["unit"]), _exact("factor", row["factor"], fail))


def _mapping(value: Any, name: str, fail: Fail) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise fail(f"{name} is not a mapping of words to values")
    return value


def _words(value: Any, name: str, fail: Fail) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise fail(f"{name} is not a list of words")
    return tuple(value)


def _list(name: str, lists: Mapping[str, CodeList], fail: Fail) -> CodeList:
    """The code list of a record field: its name with hyphens."""
    found = lists.get(name.replace("_", "-"))
    if found is None:
        raise fail(f"there is no code list {name.replace('_', '-')!r}")
    return found


def _exact(word: str, value: Any, fail: Fail) -> Decimal:
    if not isinstance(value, str) or not _EXACT(value):
        raise fail(f"{word} is not a quoted decimal")
    return Decimal(value)
