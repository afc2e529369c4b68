"""Rules between records (V3 to V15, B2): one function a rule, in one table; pure, and blind to where records come from.

    circle = Circle(catalog, studies)            # one subject, as it stands now
    circle.put(place, record)                    # the record that is judged stands in it
    decide(record, circle)                       # what speaks against it: E refuse, Q wait
    flags(record, circle)                        # what there is to say of it, W among it

What is not here: rules of one record (records), versions and doubles (V12, V13: store, admission), what follows from
a correction (V14: measures). Draws dates, windows and doses from the measures, so that there is one arithmetic. It must
not know the store, FHIR or the wire.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from . import blinding, evidence, references, safety, scores, treatment, trial
from .model import FLAG, OUTCOMES, REFUSE, RETRACTED, WAIT, Circle, Finding, Name, Record, Rule

RULES: tuple[Rule, ...] = (
    Rule("V11", (), references.subject_known),
    Rule("V11", (), references.study_known),
    Rule("V11", (), references.procedure_known),
    Rule("V3", ("pain_outcome", "function_outcome"), scores.inside, only_flags=True),
    Rule("V4", ("pain_outcome",), scores.side),
    Rule("V6", ("procedure",), treatment.sessions),
    Rule("V7", ("procedure",), treatment.side),
    Rule("V8", ("procedure",), treatment.allergies),
    Rule("V8", ("procedure",), treatment.anaesthetic, only_flags=True),
    Rule("V9", ("enrolment",), trial.criteria),
    Rule("V9", ("enrolment",), evidence.follows, only_flags=True),
    Rule("V9", ("pain_outcome", "function_outcome"), trial.evidence, only_flags=True),
    Rule("V9", ("procedure",), trial.consent),
    Rule("V10", ("procedure",), trial.treatment),
    Rule("withdrawal", OUTCOMES, trial.withdrawal),
    Rule("B2", ("pain_outcome", "function_outcome"), blinding.assessor),
    Rule("V15", ("procedure",), safety.complications),
    Rule("V15", ("adverse_event",), safety.event),
)


def decide(record: Record, circle: Circle) -> list[Finding]:
    """What speaks against keeping a record: findings E and Q, in the order of the table. A retracted record only needs
    what it refers to; a study has no neighbours."""
    found = _found(record, circle, _rules_of(record["kind"], record["record_status"] in RETRACTED, False))
    return [one for one in found if one.outcome != FLAG]


def flags(record: Record, circle: Circle) -> list[Finding]:
    """Everything the rules say of a record that is kept: E and Q too, where its neighbours have changed since."""
    if record["record_status"] in RETRACTED:
        return []
    return _found(record, circle, _rules_of(record["kind"], False, True))


@cache
def _rules_of(kind: str, retracted: bool, all_of_them: bool) -> tuple[Rule, ...]:
    if kind == "study":
        return ()
    mine = [rule for rule in RULES if not rule.kinds or kind in rule.kinds]
    return tuple(
        rule for rule in mine if (all_of_them or not rule.only_flags) and (not retracted or rule.name == "V11")
    )


def _found(record: Record, circle: Circle, rules: Iterable[Rule]) -> list[Finding]:
    return [finding for rule in rules for finding in rule.judge(record, circle)]


def name(record: Record) -> Name:
    """What others wait for this record by."""
    match record["kind"]:
        case "study":
            return Name("study", (record["study_id"],))
        case "enrolment":
            return Name("enrolment", (record["study_id"], record["subject_id"]))
        case "procedure":
            return Name("procedure", (record["subject_id"], record["procedure_id"]))
        case kind:
            return Name(kind, (record["subject_id"],))


__all__ = [
    "FLAG",
    "OUTCOMES",
    "REFUSE",
    "RULES",
    "WAIT",
    "Circle",
    "Finding",
    "Name",
    "Record",
    "Rule",
    "decide",
    "flags",
    "name",
]
