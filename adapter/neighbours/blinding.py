"""B2: who knows what a subject was treated with is no blinded assessor of that subject any more.

The operator of a procedure knows from its start on; who opened the allocation from that instant (Enrolment.unblinding),
and so does a participant who was told. Somebody told by role alone may be this assessor, which is a flag. Judged by when
a score was taken, not by when it was entered: a late entry of a blinded score is one.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.measures import times

from .model import DONE, FLAG, REFUSE, Circle, Finding, Record, study_of

RULE = "B2"
FIELD = "assessor_blinded"
ASSESSORS = ("first_assessor", "second_assessor", "clinician")
TOLD = {"assessor": ASSESSORS, "participant": ("self_report",)}
"""Roles of an outcome's assessor that the role of somebody unblinded may mean."""


def assessor(record: Record, circle: Circle) -> Iterator[Finding]:
    """B2: a score that says that its assessor was blinded, against the procedures and unblindings of its subject."""
    taken = record.get("assessed_at")
    if not record.get(FIELD) or taken is None:
        return
    mine = [one for one in circle.live("procedure") if one.get("operator_id") == record.get("assessor_id", "")]
    known = [one["started_at"] for one in mine if one["performed_status"] in DONE and "started_at" in one]
    yield from _since(known, taken, "false for the operator of a procedure of the subject")
    for enrolment in circle.enrolments(study_of(record, circle)):
        opened = [one for one in enrolment.get("unblinding", ()) if "at" in one]
        sure = [one["at"] for one in opened if _is(one, record)]
        yield from _since(sure, taken, "false for who was unblinded")
        if not sure and any(_may_be(one, record) and not times.before(taken, one["at"]) for one in opened):
            message = "an assessor was unblinded before, and may be this one"
            yield Finding(RULE, FLAG, FIELD, "false for who was unblinded", message)


def _since(known: list[str], taken: str, limit: str) -> Iterator[Finding]:
    """Knowing since any of these times; where dates are known in part, it may have been afterwards."""
    if any(times.not_after(one, taken) for one in known):
        yield Finding(RULE, REFUSE, FIELD, limit)
    elif not all(times.before(taken, one) for one in known):
        yield Finding(RULE, FLAG, FIELD, limit, "a date is known only in part, or the clock is not")


def _is(unblinding: Record, score: Record) -> bool:
    """Whether an unblinding certainly let the assessor of a score know."""
    own = score.get("assessor_role") == "self_report" and unblinding["recipient_role"] == "participant"
    return own or ("by" in unblinding and unblinding["by"] == score.get("assessor_id"))


def _may_be(unblinding: Record, score: Record) -> bool:
    return score.get("assessor_role") in TOLD.get(unblinding["recipient_role"], ())
