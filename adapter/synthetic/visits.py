"""How the visits of a trial person go: screening, treatment day, follow-up, scores.

Scores belong to the diagnostic procedure P1 (screening, h1) or to the treatment P2 (baseline, h1, w1, m1,
m3); the two one-hour scores differ by their anchor. A visit that did not happen is a not_done record with
a reason; after a withdrawal no score is collected any more. It must not know what the treatments consist
of (`treatment`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from . import curves, events, function, treatment
from .enrolments import Case, enrolled, failed
from .person import Record, add_months, working_day

FOLLOW_UP = ("h1", "w1", "m1", "m3")
LEAVING = ("withdrawn", "lost")


def records(case: Case) -> Iterator[Record]:
    """Enrolment, procedures and outcomes of one person, in this order."""
    if case.fate in ("declined", "contraindicated"):
        yield failed(case, None, None)
        return
    person, dice = case.person, case.person.dice
    before, after = curves.screening(dice, positive=bool(case.arm))
    needle = case.screened + timedelta(minutes=40)
    done = needle + timedelta(minutes=dice.randint(5, 11))
    later = done + timedelta(minutes=dice.randint(55, 80))
    first = person.score(
        "P1", "screening", needle - timedelta(minutes=15), before, place=case.place, assessor_blinded=True
    )
    lost = "lost" if case.fate == "lost_in_screening" else ""
    second = person.score(
        "P1", "h1", later, None if lost else after, place=case.place, missing=lost, assessor_blinded=True
    )
    diagnostic = treatment.diagnostic(case, needle, done, "" if lost else curves.response(before, after), second)
    if not case.arm:
        fall = None if lost else _percent(before, after)
        yield failed(case, second, fall)
        yield from (diagnostic, first, second)
        return
    yield from _treated(case, before, _percent(before, after), [diagnostic, first, second])


def _percent(before: int, after: int) -> Decimal:
    """Percent fall, to one decimal, as the screening form shows it."""
    return (Decimal(100 * (before - after)) / before).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _treated(case: Case, screened: int, fall: Decimal, screening: list[Record]) -> Iterator[Record]:
    dice = case.person.dice
    day = working_day(case.screened + timedelta(days=dice.randint(2, 9)))
    start = day.replace(hour=10, minute=15) + timedelta(minutes=5 * dice.randrange(40))
    end = start + timedelta(minutes=dice.randint(9, 16))
    planned = {
        "baseline": start - timedelta(minutes=25),
        "h1": end + timedelta(hours=1, minutes=dice.randint(-5, 20)),
        "w1": working_day(end + timedelta(days=7)),
        "m1": working_day(add_months(end, 1) + timedelta(days=dice.randint(-3, 4))),
        "m3": working_day(add_months(end, 3) + timedelta(days=dice.randint(-6, 11))),
    }
    left_at = end + timedelta(days=dice.randint(9, 24)) if case.fate in LEAVING else None
    scores = _scores(case, planned, left_at, curves.baseline(dice, screened))
    shown = next((one for one in scores if one["timepoint_code"] == "h1"), None)
    base = scores[0]["score"]
    word = curves.response(int(base), int(shown["score"])) if shown and "score" in shown else "not_assessed"
    acts = [screening[0], treatment.treatment(case, case.arm, start, end, word, shown)]
    if case.fate == "switched":
        acts.append(treatment.rescue(case, working_day(end + timedelta(days=45)).replace(hour=11)))
    yield enrolled(case, screening[2], fall, start, planned["m3"], left_at)
    yield from acts
    yield from screening[1:]
    yield from scores
    yield from function.trial(case, planned, scores)
    yield from events.trial(case, start, end, left_at)


def _scores(case: Case, planned: dict[str, datetime], left_at: datetime | None, before: int) -> list[Record]:
    """All scores anchored to the treatment: on movement always, at rest and sitting for some persons."""
    dice = case.person.dice
    extra = [name for name, share in (("rest", 0.6), ("sitting", 0.2)) if dice.random() < share]
    contexts = ["movement", *extra]
    personal = curves.temperament(dice)
    found = [_score(case, "baseline", planned["baseline"], before, before, contexts)]
    rescued = False
    for code in FOLLOW_UP:
        when = planned[code]
        if left_at and when > left_at:
            reason = "withdrawn" if case.fate == "withdrawn" else "lost"
            found.append(_missing(case, code, when, reason, contexts))
            continue
        if code != "h1" and dice.random() < 0.05:
            reason = dice.choice(("refused", "not_done", "technical_failure", "unknown"))
            found.append(_missing(case, code, when, reason, contexts))
            continue
        score = curves.follow_up(dice, before, case.arm, code, personal)
        more: dict[str, Any] = {"rescue_since_last": rescued} if code != "h1" else {}
        if case.fate == "switched" and code == "m3":
            more["rescue_since_last"] = True
        if dice.random() < 0.4:
            more["pct_relief_reported"] = Decimal(curves.relief(dice, before, score))
        if code == "m3" and dice.random() < 0.5:
            more["blind_guess"] = dice.choice((*curves.ARMS, "unsure", "unsure"))
        found.append(_score(case, code, when, before, score, contexts, **more))
        rescued = score >= 6 and dice.random() < 0.3
    flat = [one for visit in found for one in visit]
    if case.fate == "mistaken":
        flat.append(_retracted(case, planned["w1"]))
    return flat


def _missing(case: Case, code: str, when: datetime, reason: str, contexts: list[str]) -> list[Record]:
    return [
        case.person.score(
            "P2", code, when, None, place=case.place, missing=reason, context=context, assessor_blinded=True
        )
        for context in contexts
    ]


def _score(
    case: Case, code: str, when: datetime, before: int, score: int, contexts: list[str], **more: Any
) -> list[Record]:
    """One visit: a score per context by one assessor."""
    dice = case.person.dice
    how: dict[str, Any] = {"assessor_blinded": True}
    if code in ("m1", "m3") and dice.random() < 0.15:
        how |= {"mode": "phone", "assessor_id": "AS2", "assessor_role": "second_assessor"}
    absent = None
    if code == "w1" and dice.random() < 0.15:
        how |= {"mode": "ediary", "assessor_id": case.person.subject_id, "assessor_role": "self_report"}
        absent = {"assessor_blinded": "not_in_source"}  # the study does not say whether participants are masked
    found = []
    for context in contexts:
        value = {"rest": curves.at_rest(dice, score), "sitting": min(10, score + dice.choice((0, 0, 1)))}
        revised = ("corrected", "Typing error found at source data check") if dice.random() < 0.02 else None
        said = more if context == "movement" else {k: v for k, v in more.items() if k == "rescue_since_last"}
        found.append(
            case.person.score(
                "P2",
                code,
                when,
                value.get(context, score),
                place=case.place,
                context=context,
                absent=absent,
                revised=revised,
                **(how | said),
            )
        )
    return found


def _retracted(case: Case, when: datetime) -> Record:
    """A score of somebody else, taken back: it stays readable and counts for nothing (scenario S09)."""
    reason = ("entered_in_error", "Belongs to another subject")
    score = case.person.dice.randint(0, 10)
    return case.person.score(
        "P2", "w1", when, score, place=case.place, revised=reason, twin=".x", assessor_blinded=True
    )
