"""Which score is the baseline of a follow-up (rule V4, decisions 6c).

The same subject, instrument, context, site and side; of the same procedure or course; the last one collected at or
before the procedure (scope `procedure`), or before the first session of the course (scope `course`). A score from
screening, or of a diagnostic injection, is no baseline of a treatment. Times decide where they are certain; where
dates are known only in part, the planned time points do. It must not calculate a measure.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from . import times
from .chart import BEFORE, Chart, Record, Score
from .model import Undefined
from .schedule import aim

SCOPES = ("procedure", "course")


@dataclass(frozen=True)
class Choice:
    """The baseline, or why there is none; `seen` are the records that say so."""

    score: Score | None
    reason: str | None = None
    seen: tuple[Record, ...] = ()

    def value(self) -> Fraction:
        """The score of the baseline; Undefined where there is none."""
        if self.score is None or self.score.value is None:
            raise Undefined(self.reason or "baseline_missing")
        return self.score.value


def scopes(chart: Chart, follow: Score) -> dict[str, Choice]:
    """The baseline of a follow-up by scope. In the first session of a course both are one, and only `procedure` is
    there."""
    if follow.procedure_id is None:
        return {"procedure": Choice(None, "anchor_missing")}
    if follow.procedure_id in chart.void_procedures:
        return {"procedure": Choice(None, "input_retracted")}
    if not follow.comparable:
        return {"procedure": Choice(None, "comparability_unknown")}
    procedure = chart.procedures.get(follow.procedure_id)
    found = {"procedure": choose(chart, follow, follow.procedure_id, procedure)}
    first = first_session(chart, procedure)
    if first is not None:
        found["course"] = choose(chart, follow, first["procedure_id"], first)
    return found


def first_session(chart: Chart, procedure: Record | None) -> Record | None:
    """The first session performed of the course, where that is an earlier one than this; a diagnostic injection is no
    session of the treatment."""
    if procedure is None or "session_number" not in procedure or "course_id" not in procedure:
        return None
    earlier = [
        one
        for one in chart.procedures.values()
        if one.get("course_id") == procedure["course_id"]
        and one.get("session_number", procedure["session_number"]) < procedure["session_number"]
        and one.get("purpose") != "diagnostic"
        and chart.performed(one["procedure_id"]) is not None
    ]
    return min(earlier, key=lambda one: (one["session_number"], one["record_id"]), default=None)


def choose(chart: Chart, follow: Score, procedure_id: str, procedure: Record | None) -> Choice:
    """The last comparable score at or before a procedure."""
    found = [
        one
        for one in chart.scores
        if one is not follow
        and one.series == follow.series
        and one.value is not None
        and _same_target(one, follow)
        and _at_or_before(chart, one, procedure_id, procedure)
    ]
    live = [one for one in found if not one.retracted]
    if not live:
        seen = tuple(one.record for one in found)
        return Choice(None, "input_retracted" if found else "baseline_missing", seen)
    last = [one for one in live if not any(_later(chart, other, one, procedure_id) for other in live)]
    if len({one.value for one in last}) != 1:
        return Choice(None, "baseline_ambiguous", tuple(one.record for one in last))
    return Choice(last[0], seen=(last[0].record,))


def _same_target(one: Score, other: Score) -> bool:
    """Targets are numbered per procedure: within one they must agree, as far as they are said."""
    if one.procedure_id != other.procedure_id or one.target is None or other.target is None:
        return True
    return one.target == other.target


def _at_or_before(chart: Chart, score: Score, procedure_id: str, procedure: Record | None) -> bool:
    own = score.procedure_id == procedure_id
    if own:
        diagnostic = procedure is not None and procedure.get("purpose") == "diagnostic"
        if score.code not in (BEFORE if diagnostic else ("baseline",)):
            return False
    elif not _same_course(chart, score, procedure) or score.code == "screening":
        return False
    start = None if procedure is None or chart.performed(procedure_id) is None else procedure.get("started_at")
    if start is not None and score.time is not None:
        if times.not_after(score.time, start):
            return True
        if times.before(start, score.time):
            return False
    return own or (score.code == "baseline" and _session(chart, score) < _number(procedure))


def _same_course(chart: Chart, score: Score, procedure: Record | None) -> bool:
    """Whether a score of another procedure may be a baseline of this one: same course, both treatments."""
    other = chart.procedures.get(score.procedure_id or "")
    if other is None or procedure is None or "course_id" not in other:
        return False
    treatments = "diagnostic" not in (other.get("purpose"), procedure.get("purpose"))
    return treatments and other["course_id"] == procedure.get("course_id")


def _number(procedure: Record | None) -> int:
    """The session number; 0, before all others, where it is not said."""
    return int(procedure.get("session_number", 0)) if procedure is not None else 0


def _session(chart: Chart, score: Score) -> int:
    return _number(chart.procedures.get(score.procedure_id or ""))


def _later(chart: Chart, one: Score, other: Score, procedure_id: str) -> bool:
    """Whether `one` was taken after `other`: by times where certain, else by session and planned time point."""
    if one.time is not None and other.time is not None:
        if times.before(other.time, one.time):
            return True
        if times.before(one.time, other.time) or times.not_after(one.time, other.time):
            return False
    return _rank(chart, one, procedure_id) > _rank(chart, other, procedure_id)


def _rank(chart: Chart, score: Score, procedure_id: str) -> tuple[bool, int, Fraction, bool]:
    own = score.procedure_id == procedure_id
    try:
        order = aim(chart, score).order
    except Undefined:
        order = Fraction(-1)
    return own, _session(chart, score), order, score.code == "baseline"
