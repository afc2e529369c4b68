"""`measures.yaml`: thresholds, dose limits, definitions and default windows of the derived measures, exact.

Each row has a name and a citation. It knows what words a row may use, not what is calculated with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from adapter.catalog.files import Fail, Files, within
from adapter.catalog.model import CodeList, Instrument
from adapter.catalog.rows import Row

_SECTIONS = ("mcid", "dose_limit", "migraine_day", "chronic", "windows")
_FORMULAS = {  # what is derived for each row of a section: each has its code, since values travel under it
    "mcid": ("mcid_met-{}",),
    "dose_limit": ("la_over_limit-{}",),
    "migraine_day": (
        *("migraine_day-{}", "days-migraine-{}", "monthly_days-migraine-{}", "days_reduction-migraine-{}"),
        *("headache_responder_50-migraine-{}", "headache_responder_30-migraine-{}"),
    ),
    "chronic": ("chronic-{}",),
}
_NAME = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)*").fullmatch
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?").fullmatch
_DURATION = re.compile(r"P(?:[0-9]{1,4}[DWMY]|T[0-9]{1,4}[HMS])").fullmatch
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A change that matters: at least `change` in the better direction or, if given, `percent` of the baseline."""

    name: str
    instrument: str
    scoring: str | None
    population: str
    change: Decimal
    percent: Decimal | None
    citation: str


@dataclass(frozen=True, slots=True)
class DoseLimit:
    """Most of an agent in one session: the smaller of `mg_per_kg` times weight and `max_mg`."""

    name: str
    agent: str
    mg_per_kg: Decimal
    max_mg: Decimal
    citation: str


@dataclass(frozen=True, slots=True)
class MigraineDay:
    """A definition of the migraine day: hours of headache, number of features, minutes of aura, specific drugs."""

    name: str
    hours: Decimal
    features: int
    aura_from: int
    aura_to: int
    drugs: tuple[str, ...]
    citation: str


@dataclass(frozen=True, slots=True)
class Chronic:
    """A definition of chronic: a condition that has lasted `months`."""

    name: str
    months: Decimal
    citation: str


@dataclass(frozen=True, slots=True)
class Window:
    """A time point: event it counts from, offset, and how much earlier or later still counts (ISO durations)."""

    code: str
    anchor: str
    offset: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Measures:
    """All of the file, by section; rows keep their order."""

    thresholds: tuple[Threshold, ...]
    dose_limits: tuple[DoseLimit, ...]
    migraine_days: tuple[MigraineDay, ...]
    chronic: tuple[Chronic, ...]
    windows: dict[str, Window]


def measures(files: Files, lists: dict[str, CodeList], instruments: dict[str, Instrument]) -> Measures:
    """Read and check `measures.yaml`."""
    file = files.root / "measures.yaml"
    fail, raw = files.fail(file), files.yaml(file)
    if set(raw) != set(_SECTIONS) or not all(isinstance(raw[name], Row) for name in _SECTIONS):
        raise fail(f"has the sections {', '.join(_SECTIONS)}, each with rows by name, and no others")

    def rows(section: str, words: set[str], optional: set[str], make: Callable[[str, _Words], Made]) -> list[Made]:
        made = []
        for name, row in raw[section].items():
            if not isinstance(row, Row) or not _NAME(name):
                raise fail(f"{section}: {name}: a row is named in lower case and has words and values")
            reader = _Words(row, within(fail, f"line {row.line}: {name}"), lists)
            reader.expect(words, optional)
            for formula in _FORMULAS.get(section, ()):
                reader.known(formula.format(name), "measure")
            made.append(make(name, reader))
        return made

    def threshold(name: str, row: _Words) -> Threshold:
        instrument = row.text("instrument")
        if instrument not in instruments:
            raise row.fail(f"{instrument!r} is not an instrument")
        scoring = row.text("scoring") if "scoring" in row.row else None
        percent = row.decimal("percent") if "percent" in row.row else None
        return Threshold(
            name, instrument, scoring, row.text("population"), row.decimal("change"), percent, row.text("citation")
        )

    def limit(name: str, row: _Words) -> DoseLimit:
        return DoseLimit(
            name, row.code("agent", "agent"), row.decimal("mg_per_kg"), row.decimal("max_mg"), row.text("citation")
        )

    def day(name: str, row: _Words) -> MigraineDay:
        return MigraineDay(
            name, row.decimal("hours"), row.whole("features"), row.whole("aura_from"), row.whole("aura_to"),
            row.texts("drugs"), row.text("citation"),
        )  # fmt: skip

    def chronic(name: str, row: _Words) -> Chronic:
        return Chronic(name, row.decimal("months"), row.text("citation"))

    def window(code: str, row: _Words) -> Window:
        row.known(code, "timepoint")
        times = (row.duration(word) for word in ("offset", "before", "after"))
        return Window(code, row.code("anchor", "anchor-event"), *times)

    cited, note = {"citation"}, {"note"}
    return Measures(
        tuple(rows("mcid", {"instrument", "population", "change"} | cited, {"scoring", "percent"} | note, threshold)),
        tuple(rows("dose_limit", {"agent", "mg_per_kg", "max_mg"} | cited, note, limit)),
        tuple(
            rows("migraine_day", {"hours", "features", "aura_from", "aura_to", "drugs"} | cited, note, day),
        ),
        tuple(rows("chronic", {"months"} | cited, note, chronic)),
        {one.code: one for one in rows("windows", {"anchor", "offset", "before", "after"}, note, window)},
    )


class _Words:
    """The words of one row, each read as what it must be."""

    def __init__(self, row: Row, fail: Fail, lists: dict[str, CodeList]) -> None:
        self.row, self.fail, self.lists = row, fail, lists

    def expect(self, words: set[str], optional: set[str]) -> None:
        if unknown := set(self.row) - words - optional:
            raise self.fail(f"unknown word {min(unknown)!r}")
        if missing := words - set(self.row):
            raise self.fail(f"{min(missing)!r} is missing")

    def text(self, word: str) -> str:
        value: Any = self.row[word]
        if not isinstance(value, str) or not value.strip():
            raise self.fail(f"{word} is not text")
        return value

    def texts(self, word: str) -> tuple[str, ...]:
        value = self.row[word]
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            raise self.fail(f"{word} is not a list of codes")
        return tuple(value)

    def decimal(self, word: str) -> Decimal:
        value = self.text(word)
        if not _DECIMAL(value):
            raise self.fail(f"{word} is not a quoted decimal")
        return Decimal(value)

    def whole(self, word: str) -> int:
        value: Any = self.row[word]
        if type(value) is not int or value < 0:
            raise self.fail(f"{word} is not a whole number")
        return value

    def duration(self, word: str) -> str:
        value = self.text(word)
        if not _DURATION(value):
            raise self.fail(f"{word} is not a duration of one unit")
        return value

    def code(self, word: str, list_id: str) -> str:
        value = self.text(word)
        self.known(value, list_id)
        return value

    def known(self, code: str, list_id: str) -> None:
        if list_id not in self.lists or code not in self.lists[list_id].codes:
            raise self.fail(f"{code!r} is not in the list {list_id!r}")
