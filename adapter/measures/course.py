"""A course of pain after one procedure: area under the curve, mean, pain spared, onset of relief, lasting relief.

One course is one procedure, target, instrument, context and place. The area is the trapezoid over actual times (hours
by the clock, days by the calendar), from the baseline at time 0 to the last planned point; with planned times it is a
formula of another name (-nominal). Nothing is extrapolated; planned points without a score are named. Sources:
[SPID]; onset and lasting relief are our own definitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from .baseline import Choice, scopes
from .chart import Chart, Record, Score
from .exact import Number, exact
from .model import Derived, Undefined, derived
from .reduction import numbers, responder
from .schedule import Point, actual_days, moment, planned

WEEK = 7
SUSTAINED = 50
ONSET = 30
VARIANTS = ("", "-nominal")


def area(points: Sequence[tuple[Number, Number]]) -> Fraction:
    """Area under straight lines through (time, score) points in order of time. ValueError when time runs backwards."""
    total = Fraction(0)
    for (start, former), (end, latter) in pairwise(points):
        if end < start:
            raise ValueError("time runs backwards")
        total += (exact(former) + exact(latter)) * (exact(end) - exact(start)) / 2
    return total


def summary(points: Sequence[tuple[Number, Number]]) -> dict[str, Fraction]:
    """Area, time-weighted mean, pain spared and its percent, of points that begin with the baseline at time 0.

    Undefined without any time between first and last. pct_spid is left out for a baseline of zero.
    """
    start, baseline = points[0]
    length = exact(points[-1][0]) - exact(start)
    if length <= 0:
        raise Undefined("time_unknown")
    auc = area(points)
    found = {"auc_pain": auc, "twa_pain": auc / length, "spid": exact(baseline) * length - auc}
    if baseline > 0:
        found["pct_spid"] = 100 * found["spid"] / (exact(baseline) * length)
    return found


class Course:
    """One course: its baseline, its planned points, and what was collected at each."""

    def __init__(self, chart: Chart, key: tuple[str, ...], group: list[Score]) -> None:
        self.chart, self.key, self.group = chart, key, group
        self.baseline: Choice = scopes(chart, group[0])["procedure"]
        self.points: list[Point] = planned(chart, group)
        self.taken: dict[str, list[Score]] = {}
        for score in group:
            if score.value is not None and not score.retracted and score.code is not None:
                self.taken.setdefault(score.code, []).append(score)
        self.missing = tuple(one.code for one in self.points if one.code not in self.taken)

    def one(self, point: Point) -> Score | None:
        """The score at a planned point, None where there is none. Undefined where there are two."""
        found = self.taken.get(point.code, [])
        if len(found) > 1:
            raise Undefined("followup_ambiguous")
        return found[0] if found else None

    def gone(self, point: Point) -> bool:
        """Whether a score at this point was retracted."""
        return any(one.retracted and one.code == point.code for one in self.group)

    def row(self, formula: str, value: Number | str | Undefined, scores: Sequence[Score], **more: Any) -> Derived:
        """A value about the course."""
        first = self.group[0].record
        return derived(
            formula, (first["subject_id"], *self.key), value, [*self.baseline.seen, *(one.record for one in scores)],
            subject_id=first["subject_id"], study_id=first.get("study_id"), procedure_id=self.group[0].procedure_id,
            scope="procedure", missing_timepoints=more.pop("missing", self.missing), **{"labels": self.about(), **more},
        )  # fmt: skip

    def about(self) -> dict[str, str]:
        return self.group[0].about()


def of_courses(chart: Chart) -> list[Derived]:
    """Area, mean, pain spared, onset and lasting relief of every course."""
    found: list[Derived] = []
    for key, group in chart.groups().items():
        try:
            course = Course(chart, key, group)
        except Undefined:
            continue  # a point that nobody says the time of: each score tells so itself (elapsed)
        for variant in VARIANTS:
            found += _sums(course, variant)
        found += [_onset(course), *_sustained(course)]
    return found


def _sums(course: Course, variant: str) -> list[Derived]:
    """Area, mean, pain spared and its percent, by actual or by planned times."""
    unit = course.group[0].unit
    units = {"auc_pain": f"{unit}.d", "twa_pain": unit, "spid": f"{unit}.d", "pct_spid": "%"}
    scores: list[Score] = []
    anchor: Record | None = course.chart.performed(course.group[0].procedure_id)
    more: dict[str, Any] = {}
    values: dict[str, Fraction] = {}
    reason = Undefined("baseline_zero")  # of the one value that a whole course may lack
    try:
        before = course.baseline.value()
        start, event, _ = moment(course.chart, course.group[0], "procedure_end")
        timed = _timed(course, start, variant)
        scores = [score for _, score in timed]
        values = summary([(Fraction(0), before), *((time, numbers(one, course.baseline)[1]) for time, one in timed)])
        assert course.baseline.score is not None
        more = {"at": course.baseline.score.time or start, "until": scores[-1].time}
        more["labels"] = {**course.about(), "counted_from": event, "gaps": str(len(course.missing))}
    except Undefined as none:
        reason = none
    return [
        course.row(name + variant, values.get(name, reason), scores, anchor=anchor, unit=of_name, **more)
        for name, of_name in units.items()
    ]


def _timed(course: Course, start: str, variant: str) -> list[tuple[Fraction, Score]]:
    """The scores up to the last planned point, with their times in days, in order of time."""
    if not course.points:
        raise Undefined("last_point_missing")
    last = course.points[-1]
    if course.one(last) is None:
        raise Undefined("input_retracted" if course.gone(last) else "last_point_missing")
    found = []
    for number, point in enumerate(course.points):
        score = course.one(point)
        if score is not None:
            time = point.nominal(start) if variant else actual_days(start, score, point.offset)
            if time < 0:
                raise Undefined("before_anchor")
            found.append((time, number, score))
    found.sort(key=lambda one: one[:2])
    return [(time, score) for time, _, score in found]


def _onset(course: Course) -> Derived:
    """The first time that the pain was less by 30 percent, and which planned points before it have no score."""
    scores: list[Score] = []
    try:
        course.baseline.value()
        for number, point in enumerate(course.points):
            score = course.one(point)
            if score is None:
                continue
            scores.append(score)
            if responder(*numbers(score, course.baseline), ONSET):
                if score.time is None:
                    raise Undefined("time_unknown")
                missing = tuple(one.code for one in course.points[:number] if one.code in course.missing)
                return course.row("onset", score.time, scores, timepoint=point.code, at=score.time, missing=missing)
        if scores:
            raise Undefined("not_reached")
        raise Undefined("input_retracted" if any(course.gone(one) for one in course.points) else "followup_missing")
    except Undefined as none:
        return course.row("onset", none, scores)


def _sustained(course: Course) -> list[Derived]:
    """Whether half the pain was gone at every planned point from a week to the last; nothing where none is planned
    then."""
    points = [one for one in course.points if one.order >= WEEK]
    if not points:
        return []
    scores: list[Score] = []
    missing = tuple(one.code for one in points if one.code in course.missing)
    value: bool | Undefined
    try:
        course.baseline.value()
        scores = [score for point in points if (score := course.one(point)) is not None]
        kept = [responder(*numbers(score, course.baseline), SUSTAINED) for score in scores]
        value = False if not all(kept) else Undefined("followup_missing") if missing else True
        if isinstance(value, Undefined) and any(course.gone(one) for one in points if one.code in missing):
            value = Undefined("input_retracted")
    except Undefined as none:
        value = none
    until = scores[-1].time if scores else None
    return [course.row(f"sustained_responder_{SUSTAINED}", value, scores, missing=missing, until=until)]
