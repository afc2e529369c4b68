"""What a follow-up says against its baseline: change, percent reduction, responder, smallest change that matters.

Pure functions of exact numbers first, then the values of a subject. Change is positive when better. A percent is
undefined, with its reason, where the baseline or the follow-up is missing or the baseline is zero; 0 is a legal
value. Responders are decided on unrounded numbers, by multiplication. Sources: [SPID] for change, admiral's PCHG for
the undefined cases (its sign is the opposite), [IMMPACT] for 30 and 50 percent, mappings/measures.yaml for the
thresholds. A score that was not done is missing, never a failure; non-responder imputation has a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial

from adapter.catalog import Threshold

from . import times
from .baseline import Choice, scopes
from .chart import Chart, Record, Score
from .exact import Number, exact
from .model import Derived, Undefined, attempt, derived
from .schedule import of, window

RESPONDERS = (30, 50)
Formula = Callable[[Fraction, Fraction], Number]


def change(baseline: Number, followup: Number, direction: str | None) -> Fraction:
    """How much better, in the unit of the instrument; negative when worse. Undefined without a direction."""
    if direction is None:
        raise Undefined("direction_unknown")
    fall = exact(baseline) - exact(followup)
    return fall if direction == "lower_better" else -fall


def pct_reduction(baseline: Number, followup: Number) -> Fraction:
    """100 x (B - F) / B, exact; negative when worse. Undefined for a baseline of zero or below."""
    return 100 * (exact(baseline) - exact(followup)) / _divisor(baseline)


def responder(baseline: Number, followup: Number, percent: Number) -> bool:
    """Whether the reduction is at least `percent`: 100 x (B - F) >= percent x B. Undefined where the percent is."""
    return 100 * (exact(baseline) - exact(followup)) >= exact(percent) * _divisor(baseline)


def _divisor(baseline: Number) -> Fraction:
    if baseline == 0:
        raise Undefined("baseline_zero")
    if baseline < 0:
        raise Undefined("baseline_negative")
    return exact(baseline)


def mcid_met(threshold: Threshold, baseline: Number, followup: Number, direction: str | None) -> bool:
    """Whether the change reaches a published threshold, absolute or, where it has one, in percent of the baseline."""
    better = change(baseline, followup, direction)
    if better >= exact(threshold.change):
        return True
    return threshold.percent is not None and baseline > 0 and 100 * better >= exact(threshold.percent) * exact(baseline)


def against_baseline(chart: Chart) -> list[Derived]:
    """Every measure of every follow-up, for the baseline of its procedure and, in later sessions, of its course."""
    found = []
    for follow in chart.followups():
        choices = scopes(chart, follow)
        for scope, choice in choices.items():
            found += _measures(chart, follow, scope, choice)
        procedure = chart.procedures.get(follow.procedure_id or "", {})
        if procedure.get("purpose") == "diagnostic" and follow.code == "h1" and follow.record["kind"] == "pain_outcome":
            found.append(_diagnostic(chart, follow, choices["procedure"], procedure))
        if follow.value is not None and not follow.retracted:
            found += _intercurrent(chart, follow)
    return found


def numbers(follow: Score, choice: Choice) -> tuple[Fraction, Fraction]:
    """Baseline and follow-up; Undefined where either is not there."""
    if follow.retracted:
        raise Undefined("input_retracted")
    if follow.value is None:
        raise Undefined("followup_missing")
    if follow.code is None:
        raise Undefined("timepoint_missing")
    before = choice.value()
    assert choice.score is not None
    if choice.score.time is not None and follow.time is not None and times.before(follow.time, choice.score.time):
        raise Undefined("before_anchor")
    return before, follow.value


def _formulas(chart: Chart, follow: Score) -> list[tuple[str, str | None, Formula]]:
    """Name, unit and function of every measure of a follow-up.

    Percents are of pain only: of a score that may be negative, or is better when higher, they would mislead.
    """
    way = follow.direction
    found: list[tuple[str, str | None, Formula]] = [("change", follow.unit, partial(change, direction=way))]
    if _of_pain(follow):
        found.append(("pct_reduction", "%", pct_reduction))
        found += [(f"responder_{percent}", None, partial(responder, percent=percent)) for percent in RESPONDERS]
    for one in chart.catalog.measures.thresholds:
        same = one.instrument == follow.record["instrument"] and one.scoring == follow.record.get("scoring_version")
        if same and "subscale" not in follow.record:
            found.append((f"mcid_met-{one.name}", None, partial(mcid_met, one, direction=way)))
    return found


def _measures(chart: Chart, follow: Score, scope: str, choice: Choice) -> list[Derived]:
    """All measures of a follow-up against one baseline."""
    record, labels = follow.record, follow.about()
    if choice.score is not None:
        labels |= {
            "baseline_timepoint": choice.score.code or "",
            "baseline_procedure_id": choice.score.procedure_id or "",
        }
    pair = attempt(numbers, follow, choice)
    values = [
        (name, unit, pair if isinstance(pair, Undefined) else attempt(formula, *pair))
        for name, unit, formula in _formulas(chart, follow)
    ]
    if _skipped(follow):
        values += [(f"responder_{percent}_imputed", None, attempt(no_response, choice)) for percent in RESPONDERS]
    return [
        derived(
            name, (record["record_id"], scope), value, [*choice.seen, record],
            unit=unit, scope=scope, labels=labels, **of(follow),
        )
        for name, unit, value in values
    ]  # fmt: skip


def _of_pain(follow: Score) -> bool:
    """Whether a fall in percent, and so a response, means something."""
    return follow.record["kind"] == "pain_outcome" and follow.direction == "lower_better"


def _skipped(follow: Score) -> bool:
    """Whether a score of pain was planned and not done."""
    planned = _of_pain(follow) and follow.code is not None
    return planned and not follow.retracted and follow.record.get("score_status") == "not_done"


def no_response(choice: Choice) -> bool:
    """What is imputed for a score that was not done: no response. Undefined where there could be no response."""
    _divisor(choice.value())
    return False


def _diagnostic(chart: Chart, follow: Score, choice: Choice, procedure: Record) -> Derived:
    """Whether a diagnostic injection was positive: half the pain gone an hour later, asked for inside the window."""

    def answer() -> bool:
        half = responder(*numbers(follow, choice), 50)
        if (where := window(chart, follow)) != "inside":
            raise Undefined("outside_window" if where == "outside" else "window_unknown")
        return half

    return derived(
        "diagnostic_positive", (follow.record["record_id"],), attempt(answer), [*choice.seen, follow.record],
        anchor=procedure, labels=follow.about(), **of(follow),
    )  # fmt: skip


def _intercurrent(chart: Chart, follow: Score) -> list[Derived]:
    """Whether rescue treatment came between the procedure and a score: a flag beside the score, which is never dropped.

    As this score or an earlier one says (rescue_since_last), or by a procedure of purpose `rescue` performed by then.
    Nothing is said where no record speaks of rescue.
    """
    others = [one for key in chart.procedures if (one := chart.performed(key)) and key != follow.procedure_id]
    rescues = [one for one in others if one.get("purpose") == "rescue"]
    own = follow.record.get("rescue_since_last")
    flagged = [one.record for one in chart.scores if one.record.get("rescue_since_last") and _by_then(one, follow)]
    if own is None and not flagged and not rescues:
        return []
    anchor = chart.performed(follow.procedure_id) or {}
    between = [_between(anchor.get("started_at"), one.get("started_at"), follow.time) for one in rescues]
    came = [one for one, within in zip(rescues, between, strict=True) if within]
    value: bool | Undefined = bool(flagged or came)
    if not value and (own is None or None in between):
        value = Undefined("rescue_unknown")
    return [derived(
        "intercurrent", (follow.record["record_id"],), value,
        [*(one for one in flagged if one is not follow.record), follow.record],
        anchor=came[0] if came else None, weighed=[*others, *filter(None, [anchor])], labels=follow.about(),
        **of(follow),
    )]  # fmt: skip


def _by_then(one: Score, follow: Score) -> bool:
    """Whether a score of the same procedure was taken by the time of another; the other itself was."""
    if one is follow:
        return True
    same = not one.retracted and one.procedure_id == follow.procedure_id and one.procedure_id is not None
    return same and one.time is not None and follow.time is not None and times.not_after(one.time, follow.time)


def _between(start: str | None, middle: str | None, end: str | None) -> bool | None:
    """Whether `middle` lies after `start` and not after `end`; None where that is not certain."""
    if start is None or middle is None or end is None:
        return None
    if times.before(start, middle) and times.not_after(middle, end):
        return True
    return False if times.not_after(middle, start) or times.before(end, middle) else None
