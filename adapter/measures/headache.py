"""Headache: migraine days by definition, counts of a period, and how much rarer the days became.

A definition of the migraine day is data (`migraine_day` in mappings/measures.yaml) and part of the formula id. Counts
of a period are brought to 28 days where at least four of five days were recorded; the count itself is kept beside
[MIGDAY]. Percent and responder have the rules for zero and missing of any score; a baseline is the last period that
ended before the procedure. A day and a period are records of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from adapter.catalog import MigraineDay

from . import times
from .baseline import first_session
from .chart import Chart, Record
from .exact import Number, exact
from .model import Derived, Undefined, attempt, derived
from .reduction import pct_reduction, responder

MONTH = 28
ENOUGH = Fraction(4, 5)
RESPONDERS = (50, 30)


def migraine_day(definition: MigraineDay, day: Mapping[str, Any]) -> bool:
    """Whether a day counts as a migraine day. Undefined where the headache or its duration would tell and is
    not known.

    An absent list of features or symptoms means that none was reported: a diary cannot hold an empty list.
    """
    if set(definition.drugs) & set(day.get("acute_meds", ())):
        return True
    if definition.aura_from <= day.get("aura_min", -1) <= definition.aura_to:
        return True
    symptoms = set(day.get("symptoms", ()))
    sick = bool(symptoms & {"nausea", "vomiting"}) or {"photophobia", "phonophobia"} <= symptoms
    if "headache" not in day:
        raise Undefined("headache_unknown")
    if not day["headache"] or not sick or len(set(day.get("features", ()))) < definition.features:
        return False
    if "duration_h" not in day:
        raise Undefined("duration_missing")
    return exact(day["duration_h"]) >= exact(definition.hours)


def monthly(count: int, recorded: int, planned: int) -> Fraction:
    """A count brought to 28 days. Undefined where less than four of five days were recorded."""
    if recorded < 1 or recorded < ENOUGH * planned:
        raise Undefined("diary_incomplete")
    return Fraction(count * MONTH, recorded)


def mean_severity(days: Sequence[Mapping[str, Any]]) -> Fraction:
    """Mean of the peak severity of the headache days. Undefined for scales mixed, or no severity known."""
    told = [day for day in days if day.get("headache") and "peak_severity" in day]
    if not told:
        raise Undefined("no_headache")
    if len({day.get("severity_scale") for day in told}) > 1:
        raise Undefined("mixed_scales")
    return sum((exact(day["peak_severity"]) for day in told), Fraction(0)) / len(told)


def attack_count(days: Sequence[Mapping[str, Any]]) -> int:
    """Number of attacks; the days of one attack share its key. Undefined where a headache day names none."""
    aching = [day for day in days if day.get("headache")]
    if any("attack_id" not in day for day in aching):
        raise Undefined("attack_missing")
    return len({day["attack_id"] for day in aching})


class Period:
    """A period and its days; `end` is its last day, `lost` the days of it that were retracted."""

    def __init__(self, record: Record, days: Sequence[Record], lost: Sequence[Record], *, retracted: bool) -> None:
        self.record, self.retracted = record, retracted
        self.start = date.fromisoformat(record["start"])
        self.planned = int(record["days_planned"])
        self.end = self.start + timedelta(days=self.planned - 1)
        self.days = self._within(days)
        self.lost = {day["diary_date"] for day in self._within(lost)} - {day["diary_date"] for day in self.days}

    def _within(self, days: Sequence[Record]) -> list[Record]:
        return [day for day in days if self.start.isoformat() <= day["diary_date"] <= self.end.isoformat()]

    def count(self, definition: MigraineDay | None) -> int:
        """Days with headache, or migraine days by a definition. Undefined where days that were recorded are not
        here."""
        if self.retracted:
            raise Undefined("input_retracted")
        said = self.record.get("days_recorded", len(self.record.get("days", ())))
        if not self.entered or len(self.entered) + len(self.lost) < said:
            raise Undefined("diary_incomplete")
        told = [day for day in self.days if "headache" in day]
        hits = [day for day in told if (migraine_day(definition, day) if definition else day["headache"])]
        return len({day["diary_date"] for day in hits})

    @property
    def entered(self) -> set[str]:
        """Dates with an entry."""
        return {day["diary_date"] for day in self.days}

    def attacks(self) -> int:
        """Number of attacks."""
        self.count(None)  # all the days are here
        return attack_count(self.days)

    def severity(self) -> Fraction:
        """Mean severity of the headache days."""
        self.count(None)
        return mean_severity(self.days)

    @property
    def recorded(self) -> int:
        """Days of which it is known whether there was a headache."""
        return len({day["diary_date"] for day in self.days if "headache" in day})

    def monthly(self, definition: MigraineDay | None) -> Fraction:
        """The count brought to 28 days."""
        return monthly(self.count(definition), self.recorded, self.planned)


def diary(chart: Chart) -> list[Derived]:
    """Every day, period and comparison of periods of the subject."""
    days, lost = (_of_kind(records, "headache_day", "diary_date") for records in (chart.live, chart.withdrawn))
    definitions = chart.catalog.measures.migraine_days
    found = [_migraine(one, definition) for one in days for definition in definitions]
    periods = [
        Period(one, days, lost, retracted=retracted)
        for records, retracted in ((chart.live, False), (chart.withdrawn, True))
        for one in _of_kind(records, "headache_period", "start")
    ]
    kinds: dict[str, MigraineDay | None] = {"headache": None} | {f"migraine-{one.name}": one for one in definitions}
    for period in sorted(periods, key=lambda one: (one.start, one.record["record_id"])):
        for name, definition in kinds.items():
            found.append(_of_period(f"days-{name}", period, attempt(period.count, definition), "d"))
            found.append(_of_period(f"monthly_days-{name}", period, attempt(period.monthly, definition), "d"))
        found.append(_of_period("attack_count", period, attempt(period.attacks), "{attacks}"))
        found.append(_of_period("mean_severity", period, attempt(period.severity), "{score}"))
        found += _compared(chart, period, periods, kinds)
    return found


def _of_kind(records: list[Record], kind: str, first: str) -> list[Record]:
    """Records of a kind, by a field and record id."""
    return sorted((one for one in records if one["kind"] == kind), key=lambda one: (one[first], one["record_id"]))


def _migraine(day: Record, definition: MigraineDay) -> Derived:
    return derived(
        f"migraine_day-{definition.name}", (day["record_id"],), attempt(migraine_day, definition, day), [day],
        subject_id=day["subject_id"], study_id=day.get("study_id"), at=day["diary_date"],
    )  # fmt: skip


def _of_period(formula: str, period: Period, value: Number | Undefined, unit: str | None) -> Derived:
    """A value of one period."""
    labels = {"days_recorded": str(period.recorded), "days_planned": str(period.planned)}
    return _row(formula, period, (), value, [period.record, *period.days], unit=unit, labels=labels)


def _row(
    formula: str, period: Period, key: tuple[str, ...], value: Number | Undefined, used: list[Record], **more: Any
) -> Derived:
    return derived(
        formula, (period.record["record_id"], *key), value, used,
        subject_id=period.record["subject_id"], study_id=period.record.get("study_id"),
        at=period.start.isoformat(), until=period.end.isoformat(), **more,
    )  # fmt: skip


def _compared(
    chart: Chart, period: Period, periods: list[Period], kinds: Mapping[str, MigraineDay | None]
) -> Iterator[Derived]:
    """A period after a procedure against the last one before it, and before the first session of its course."""
    procedure = _before(chart, period)
    if procedure is None:
        return
    anchors = {"procedure": procedure, "course": first_session(chart, procedure)}
    for scope, anchor in anchors.items():
        if anchor is None:
            continue
        start = anchor.get("started_at")
        former = [one for one in periods if start is not None and times.before(one.end.isoformat(), start)]
        live = [one for one in former if not one.retracted]
        base = max(live, key=lambda one: (one.end, one.record["record_id"]), default=None)
        reason = "time_unknown" if start is None else "input_retracted" if former else "baseline_missing"
        used = [period.record] if base is None else [base.record, period.record]
        more = {"scope": scope, "procedure_id": procedure["procedure_id"]}
        for name, definition in kinds.items():
            pair = attempt(_pair, base, period, definition, reason)
            fall = pair if isinstance(pair, Undefined) else attempt(pct_reduction, *pair)
            yield _row(f"days_reduction-{name}", period, (scope,), fall, used, unit="%", **more)
            for percent in RESPONDERS:
                answer = pair if isinstance(pair, Undefined) else attempt(responder, *pair, percent)
                yield _row(f"headache_responder_{percent}-{name}", period, (scope,), answer, used, **more)


def _pair(
    base: Period | None, period: Period, definition: MigraineDay | None, reason: str
) -> tuple[Fraction, Fraction]:
    """Days in 28 before and after; the later period is asked first: without it there is nothing to compare."""
    after = period.monthly(definition)
    if base is None:
        raise Undefined(reason)
    return base.monthly(definition), after


def _before(chart: Chart, period: Period) -> Record | None:
    """The last treatment performed by the first day of a period."""
    done = [
        one
        for key in chart.procedures
        if (one := chart.performed(key)) is not None
        and one.get("purpose") != "diagnostic"
        and "started_at" in one
        and times.span(one["started_at"])[1] <= period.start
    ]
    return max(done, key=lambda one: (times.span(one["started_at"]), one["record_id"]), default=None)
