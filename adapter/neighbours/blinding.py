"""B2: who knows what a subject was treated with is no blinded assessor of that subject any more.

The operator of a procedure knows from its start on, who opened the allocation from that instant on, and so does a
participant who was told (Enrolment.unblinding). Somebody told by role alone may be this assessor, which is a flag.
Judged by when a score was taken, not by when it was entered: a late entry of a blinded score is one.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.measures import times

from .model import DONE, FLAG, REFUSE, Circle, Finding, Record

RULE = "B2"
FIELD = "assessor_blinded"
ASSESSORS = ("first_assessor", "second_assessor", "clinician")
OPERATOR = "false for the operator of a procedure of the subject"
UNBLINDED = "false for who was unblinded"


def assessor(record: Record, circle: Circle) -> Iterator[Finding]:
    """B2: a score that says that its assessor was blinded, against the procedures and unblindings of its subject."""
    taken = record.get("assessed_at")
    if not record.get(FIELD) or taken is None:
        return
    acts = [one for one in circle.live("procedure") if one["performed_status"] in DONE]
    mine = [one.get("started_at") for one in acts if one.get("operator_id") == record.get("assessor_id", "")]
    yield from _since(mine, taken, OPERATOR)
    opened = [one for enrolment in circle.live("enrolment") for one in enrolment.get("unblinding", ())]
    told = [one.get("at") for one in opened if _is(one, record)]
    yield from _since(told, taken, UNBLINDED)
    perhaps = [one.get("at") for one in opened if _may_be(one, record)]
    if not told and any(_maybe_before(one, taken) for one in perhaps):
        yield Finding(RULE, FLAG, FIELD, UNBLINDED, "somebody was unblinded who may be this assessor")


def _since(known: list[str | None], taken: str, limit: str) -> Iterator[Finding]:
    """Knowing since any of these times; where one is not known, or in part, it may have been afterwards."""
    if any(one is not None and times.not_after(one, taken) for one in known):
        yield Finding(RULE, REFUSE, FIELD, limit)
    elif any(_maybe_before(one, taken) for one in known):
        yield Finding(RULE, FLAG, FIELD, limit, "a time is not known, or only in part")


def _maybe_before(when: str | None, taken: str) -> bool:
    return when is None or not times.before(taken, when)


def _is(unblinding: Record, score: Record) -> bool:
    """Whether an unblinding certainly let the assessor of a score know."""
    own = score.get("assessor_role") == "self_report" and unblinding.get("recipient_role") == "participant"
    return own or ("by" in unblinding and unblinding["by"] == score.get("assessor_id"))


def _may_be(unblinding: Record, score: Record) -> bool:
    """Whether it may have: an assessor was told, or it is not said who."""
    return score.get("assessor_role") in ASSESSORS and unblinding.get("recipient_role", "assessor") == "assessor"
