"""Invariants of FHIR as plain functions over decoded structs (see `structs`), one table by type.

A rule gets one element, whose attributes are the FHIR element names and UNSET where absent, and calls
`broken` with the invariant's key. The set was taken from the HL7 definitions of 4.0.1 and 5.0.0: all
error-level invariants of the types we write, except those that need other resources or a terminology server.
Must not know mappings or how structs are made.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Any, NoReturn

from msgspec import UNSET

from adapter.fhir.codes import BOUND
from adapter.fhir.formats import UNITS_OF_MEASURE, is_ucum
from adapter.fhir.versions import choices

SEPARATOR = "\x1f"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_ALLERGY_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_ENDED = frozenset(("inactive", "remission", "resolved"))

Rule = Callable[[Any], None]


def broken(rule: str, path: str, message: str) -> NoReturn:
    """Report a broken rule at a path below the element; msgspec adds where the element is."""
    raise ValueError(SEPARATOR.join((rule, path, message)))


def bound(element: str, system: str, codes: tuple[str, ...]) -> Rule:
    """A required binding: one coding from the system, and none from it outside the codes."""
    allowed = frozenset(codes)

    def check(self: Any) -> None:
        value = getattr(self, element)
        if value is UNSET:
            return
        for concept in value if type(value) is list else (value,):
            found = [c.code for c in _codings(concept) if c.system == system]
            if not found or not allowed.issuperset(found):
                broken("binding", element, f"needs a code of {system}")

    return check


def rules_for(version: str, type_name: str) -> list[Rule]:
    """The rules of one type in one version."""
    rules = [*_BOTH.get(type_name, ()), *_ONE.get((version, type_name), ())]
    if type_name in _MADE:
        rules.append(_MADE[type_name](version))
    rules += [bound(e, *b) for (v, t, e), b in BOUND.items() if (v, t) == (version, type_name)]
    return rules


def _codings(concept: Any) -> Any:
    return () if concept is UNSET or concept.coding is UNSET else concept.coding


def _has(concept: Any, system: str, codes: frozenset[str]) -> bool:
    return any(c.system == system and c.code in codes for c in _codings(concept))


def _any(self: Any, *names: str) -> bool:
    return any(getattr(self, name, UNSET) is not UNSET for name in names)


def _needs(rule: str, *names: str) -> Rule:
    def check(self: Any) -> None:
        if not _any(self, *names):
            broken(rule, "", f"one of {', '.join(names)} is needed")

    return check


def _requires(rule: str, name: str, other: str) -> Rule:
    def check(self: Any) -> None:
        if getattr(self, name) is not UNSET and not _any(self, other, f"_{other}"):
            broken(rule, other, f"is needed with {name}")

    return check


_ucum_seen: set[str] = set()


def _quantity(self: Any) -> None:
    if self.code is UNSET:
        return
    if self.system is UNSET and not _any(self, "_system"):
        broken("qty-3", "system", "is needed with code")
    if self.code not in _ucum_seen and self.system == UNITS_OF_MEASURE:
        if not is_ucum(self.code):
            broken("ucum", "code", "not a UCUM unit")
        if len(_ucum_seen) < 4096:
            _ucum_seen.add(self.code)


def _unit_in_ucum(rule: str) -> Rule:
    def check(self: Any) -> None:
        if self.value is not UNSET and self.code is UNSET:
            broken(rule, "code", "is needed with value")
        if self.system is not UNSET and self.system != UNITS_OF_MEASURE:
            broken(rule, "system", "must be UCUM")

    return check


def _age(self: Any) -> None:
    if self.value is not UNSET and self.value <= 0:
        broken("age-1", "value", "must be positive")


def _duration(self: Any) -> None:
    if self.code is not UNSET and (self.value is UNSET or self.system != UNITS_OF_MEASURE):
        broken("drt-1", "", "a code needs a value and UCUM")


def _period(self: Any) -> None:
    start, end = self.start, self.end
    if start is UNSET or end is UNSET:
        return
    if "T" in start and "T" in end:
        try:
            wrong = datetime.fromisoformat(start) > datetime.fromisoformat(end)
        except ValueError:  # a leap second
            return
    else:
        size = min(len(start), len(end), 10)
        wrong = start[:size] > end[:size]
    if wrong:
        broken("per-1", "", "start is after end")


def _range(self: Any) -> None:
    low, high = self.low, self.high
    if low is UNSET or high is UNSET or low.value is UNSET or high.value is UNSET:
        return
    if low.code == high.code and low.unit == high.unit and low.value > high.value:
        broken("rng-2", "", "low is above high")


def _ratio(self: Any) -> None:
    if (self.numerator is UNSET) != (self.denominator is UNSET):
        broken("rat-1", "", "numerator and denominator come together")
    if self.numerator is UNSET and self.extension is UNSET:
        broken("rat-1", "", "numerator and denominator are needed")


def _timing_repeat(self: Any) -> None:
    for name, unit, key in (("duration", "durationUnit", "tim-1"), ("period", "periodUnit", "tim-2")):
        if getattr(self, name) is not UNSET:
            if getattr(self, unit) is UNSET:
                broken(key, unit, f"is needed with {name}")
            if getattr(self, name) < 0:
                broken("tim-4" if name == "duration" else "tim-5", name, "must not be negative")
    for name, other, key in (
        ("periodMax", "period", "tim-6"),
        ("durationMax", "duration", "tim-7"),
        ("countMax", "count", "tim-8"),
        ("offset", "when", "tim-9"),
    ):
        if getattr(self, name) is not UNSET and getattr(self, other) is UNSET:
            broken(key, other, f"is needed with {name}")
    if self.timeOfDay is not UNSET and self.when is not UNSET:
        broken("tim-10", "when", "not together with timeOfDay")


def _observation(version: str) -> Rule:
    names = [e.name for e in choices(version, "Observation")["value"]]
    values = attrgetter(*names)

    def check(self: Any) -> None:
        if values(self).count(UNSET) < len(names):
            if self.dataAbsentReason is not UNSET:
                broken("obs-6", "dataAbsentReason", "not together with a value")
            if self.component is not UNSET:
                _own_code(self)
        if version == "R5" and self.bodyStructure is not UNSET and self.bodySite is not UNSET:
            broken("obs-8", "bodyStructure", "not together with bodySite")

    return check


def _own_code(self: Any) -> None:
    own = {(c.system, c.code) for c in _codings(self.code)}
    for i, component in enumerate(self.component):
        for coding in _codings(component.code):
            if (coding.system, coding.code) in own:
                broken("obs-7", f"component[{i}].code", "the same code as the Observation, which has a value")


def _condition(version: str) -> Rule:
    key = "con-4" if version == "R4" else "con-3"
    names = [e.name for e in choices(version, "Condition")["abatement"]]

    def check(self: Any) -> None:
        if _any(self, *names) and not _has(self.clinicalStatus, _CLINICAL, _ENDED):
            broken(key, "clinicalStatus", "an abated condition is inactive, in remission or resolved")

    return check


def _condition_r4(self: Any) -> None:
    wrong = _has(self.verificationStatus, _VERIFICATION, frozenset(("entered-in-error",)))
    if wrong and self.clinicalStatus is not UNSET:
        broken("con-5", "clinicalStatus", "not with verificationStatus entered-in-error")
    if not wrong and self.clinicalStatus is UNSET:
        broken("con-3", "clinicalStatus", "is needed unless entered-in-error")  # ours: a warning in FHIR


def _allergy_r4(self: Any) -> None:
    wrong = _has(self.verificationStatus, _ALLERGY_VERIFICATION, frozenset(("entered-in-error",)))
    if wrong and self.clinicalStatus is not UNSET:
        broken("ait-2", "clinicalStatus", "not with verificationStatus entered-in-error")
    if not wrong and self.clinicalStatus is UNSET:
        broken("ait-1", "clinicalStatus", "is needed unless entered-in-error")


def _group_r4(self: Any) -> None:
    if self.member is not UNSET and self.actual is not True:
        broken("grp-1", "member", "only in an actual group")


def _performer_r5(self: Any) -> None:
    actor = getattr(self.actor, "reference", UNSET)
    if self.onBehalfOf is not UNSET and actor is not UNSET and actor.startswith("Practitioner"):
        broken("prc-1", "onBehalfOf", "not for a practitioner")


def _sampled_r5(self: Any) -> None:
    if (self.interval is UNSET) == (self.offsets is UNSET):
        broken("sdd-1", "", "either interval or offsets")


def _bundle(self: Any) -> None:
    requested = self.type in ("transaction", "batch", "history")
    seen: set[str] = set()
    for i, entry in enumerate(() if self.entry is UNSET else self.entry):
        if (entry.request is not UNSET) != requested:
            broken("bdl-3", f"entry[{i}].request", "needed in a transaction or batch, else forbidden")
        if entry.fullUrl is UNSET:
            continue
        if "/_history/" in entry.fullUrl:
            broken("bdl-8", f"entry[{i}].fullUrl", "must not name a version")
        if entry.fullUrl in seen and self.type != "history":
            broken("bdl-7", f"entry[{i}].fullUrl", "occurs twice")
        seen.add(entry.fullUrl)


_BOTH: dict[str, tuple[Rule, ...]] = {
    "Quantity": (_quantity,),
    "Age": (_quantity, _unit_in_ucum("age-1"), _age),
    "Count": (_quantity, _unit_in_ucum("cnt-3")),
    "Distance": (_quantity, _unit_in_ucum("dis-1")),
    "Duration": (_quantity, _duration),
    "Period": (_period,),
    "Range": (_range,),
    "Ratio": (_ratio,),
    "TimingRepeat": (_timing_repeat,),
    "ContactPoint": (_requires("cpt-2", "value", "system"),),
    "Attachment": (_requires("att-1", "data", "contentType"),),
    "Expression": (_needs("exp-1", "expression", "reference"),),
    "ObservationReferenceRange": (_needs("obs-3", "low", "high", "text"),),
    "ConditionStage": (_needs("con-1", "summary", "assessment"),),
    "PatientContact": (_needs("pat-1", "name", "telecom", "address", "organization"),),
    "Bundle": (_bundle,),
}
_ONE: dict[tuple[str, str], tuple[Rule, ...]] = {
    ("R4", "Condition"): (_condition_r4,),
    ("R4", "ConditionEvidence"): (_needs("con-2", "code", "detail"),),
    ("R4", "AllergyIntolerance"): (_allergy_r4,),
    ("R4", "Group"): (_group_r4,),
    ("R4", "Consent"): (_needs("ppc-1", "policy", "policyRule"),),
    ("R4", "MedicationAdministrationDosage"): (_needs("mad-1", "dose", "rateRatio", "rateQuantity"),),
    ("R5", "MedicationAdministrationDosage"): (_needs("mad-1", "text", "dose", "rateRatio", "rateQuantity"),),
    ("R5", "ProcedurePerformer"): (_performer_r5,),
    ("R5", "SampledData"): (_sampled_r5,),
    ("R5", "Reference"): (_needs("ref-2", "reference", "identifier", "display", "extension"),),
}
_MADE: dict[str, Callable[[str], Rule]] = {"Observation": _observation, "Condition": _condition}
