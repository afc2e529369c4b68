"""The enrolment of a trial person: eligibility with its evidence, consent, allocation, all states.

One record per person, as it stands when the person has left the study. It must not know visits or
treatments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from .curves import other_arm
from .person import Person, Record

SCOPE = ["treatment", "data_use", "follow_up"]
WITHDRAWAL_REASONS = ("consent_withdrawn", "adverse_event", "lack_of_effect")


@dataclass
class Case:
    """One trial person: when screened, side, what becomes of them, arm ("" when screening fails)."""

    person: Person
    screened: datetime
    side: str
    fate: str
    arm: str
    number: int

    @property
    def lidocaine_allergy(self) -> bool:
        """Some persons are allergic to lidocaine; their diagnostic injection uses another agent (V8)."""
        return self.number % 23 == 5

    @property
    def place(self) -> tuple[str, str]:
        """Body site and side of every score."""
        return "gluteal", self.side


def failed(case: Case, evidence: Record | None, fall: Decimal | None) -> Record:
    """The enrolment of a person who failed screening, for the reason their fate says."""
    person, fate = case.person, case.fate
    consent = case.screened - timedelta(minutes=20)
    reason = {
        "declined": "consent_declined",
        "contraindicated": "contraindication",
        "lost_in_screening": "lost",
        "negative": "diagnostic_negative",
    }[fate]
    end = case.screened + timedelta(hours=3)
    body: Record = {
        "screened_at": person.at(case.screened),
        "screen_fail_reason": reason,
        "status_history": [
            {"status": "candidate", "at": person.at(consent)[:10]},
            {"status": "screening", "at": person.at(case.screened)},
            {"status": "screen_failed", "at": person.at(end), "reason": reason.replace("_", " ")},
        ],
    }
    absent = None
    if fate == "declined":
        absent = dict.fromkeys(("consent_at", "consent_version", "consent_scope"), "refused")
        absent["eligibility_results"] = "not_done"
    else:
        body |= _consent(case, consent)
        body["eligibility_results"] = _results(evidence, fall, fate == "contraindicated")
    return person.make("enrolment", "E1", end + timedelta(minutes=30), body, absent=absent, blinding="allocation")


def _consent(case: Case, at: datetime) -> Record:
    scope = [*SCOPE, "recontact"] if case.number % 3 == 0 else SCOPE[:]
    return {"consent_at": case.person.at(at), "consent_version": "2.0", "consent_scope": scope}


def _results(evidence: Record | None, fall: Decimal | None, excluded: bool) -> list[Record]:
    """The answer to each criterion that was reached; the 50 % criterion cites its score."""
    results: list[Record] = [{"criterion_id": "INC-1", "met": True}]
    if evidence is not None and fall is not None:
        results.append(
            {
                "criterion_id": "INC-2",
                "met": fall >= 50,
                "value": fall,
                "evidence_id": evidence["record_id"],
                "evidence_version": evidence["version"],
            }
        )
    results.append({"criterion_id": "EXC-1", "met": excluded})
    return results if excluded else [*results, {"criterion_id": "EXC-2", "met": False}]


def enrolled(
    case: Case, evidence: Record, fall: Decimal, start: datetime, last: datetime, left_at: datetime | None
) -> Record:
    """The enrolment of a randomised person, as it stands at the end."""
    person, dice, fate = case.person, case.person.dice, case.fate
    randomised = start - timedelta(minutes=45)
    steps = [
        ("candidate", person.at(case.screened)[:10], ""),
        ("screening", person.at(case.screened), ""),
        ("eligible", person.at(case.screened + timedelta(hours=3)), ""),
        ("on_study", person.at(randomised), ""),
        ("on_intervention", person.at(start), "first session"),
        ("follow_up", person.at(start + timedelta(hours=3)), ""),
    ]
    body: Record = {
        "screened_at": person.at(case.screened),
        "eligibility_results": _results(evidence, fall, False),
        **_consent(case, case.screened - timedelta(minutes=20)),
        "randomised_at": person.at(randomised),
        "randomisation_no": f"R-{dice.randrange(10**6):06d}",
        "stratum": person.site.site_id,
        "assigned_arm": case.arm,
        "actual_arm": case.arm,
    }
    end = left_at or last + timedelta(hours=1)
    match fate:
        case "withdrawn":
            reason = WITHDRAWAL_REASONS[(case.number - 1) // 20 % len(WITHDRAWAL_REASONS)]
            steps.append(("withdrawn", person.at(end), reason.replace("_", " ")))
            if reason == "consent_withdrawn":
                body["consent_withdrawn_at"] = person.at(end)
            body |= {
                "withdrawal_reason": reason,
                "withdrawal_scope": "all",
                "data_retention": dice.choice(("keep", "keep", "restrict")),
            }
        case "lost":
            steps.append(("lost_to_follow_up", person.at(end)[:10], "three calls unanswered"))
        case _:
            steps.append(("completed", person.at(end), ""))
    if fate == "switched":
        other = other_arm(case.arm)
        body |= {"actual_arm": other, "period_arms": [case.arm, other]}
    if fate == "unblinded":
        at = person.at(start + timedelta(days=12))
        step = {"at": at, "by": "INV-1", "reason": "emergency", "recipient_role": "care_provider"}
        body["unblinding"] = [step]
    body["status_history"] = [
        {"status": status, "at": at} | ({"reason": why} if why else {}) for status, at, why in steps
    ]
    amended = ("amended", "Last visit added") if case.number % 11 == 0 else None
    return person.make("enrolment", "E1", end + timedelta(days=15), body, blinding="allocation", revised=amended)
