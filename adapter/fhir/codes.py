"""Closed code lists that the models lack: what required bindings allow, copied from the HL7 code systems.

`CODES` completes elements of type code; `BOUND` lists the CodeableConcepts with a required binding.
Data only; must not know anything.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_OBSERVATION_STATUS = _words("registered preliminary final amended corrected cancelled entered-in-error unknown")
_EVENT_TIMING = _words(
    "MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early EVE.late NIGHT PHS "
    "HS WAKE C CM CD CV AC ACM ACD ACV PC PCM PCD PCV"
)
_ISSUE_TYPES = _words(
    "invalid structure required value invariant security login unknown expired forbidden suppressed "
    "processing not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension "
    "too-costly business-rule conflict transient lock-error no-store exception timeout incomplete throttled "
    "informational"
)
_UDI_ENTRY = ("barcode", "rfid", "manual", "card", "self-reported", "unknown")
_COMPARATOR = ("<", "<=", ">=", ">")

CODES: dict[tuple[str, str, str], tuple[str, ...] | None] = {
    ("R4", "DeviceUdiCarrier", "entryType"): _UDI_ENTRY,
    ("R4", "Observation", "status"): _OBSERVATION_STATUS,
    ("R5", "Observation", "status"): _OBSERVATION_STATUS,
    ("R4", "OperationOutcomeIssue", "code"): _ISSUE_TYPES,
    ("R5", "OperationOutcomeIssue", "code"): (*_ISSUE_TYPES, "limited-filter", "success"),
    ("R4", "TimingRepeat", "when"): _EVENT_TIMING,
    ("R5", "TimingRepeat", "when"): (*_EVENT_TIMING, "IMD"),
    ("R5", "BundleEntrySearch", "mode"): ("match", "include", "outcome"),
    ("R4", "CapabilityStatement", "format"): None,
    ("R5", "CapabilityStatement", "format"): None,
    ("R4", "Expression", "language"): None,
    ("R5", "Expression", "language"): None,
} | {
    (version, quantity, "comparator"): (*_COMPARATOR, "ad") if version == "R5" else _COMPARATOR
    for version in ("R4", "R5")
    for quantity in ("Quantity", "Age", "Count", "Distance", "Duration")
}
"""(version, type, element) -> the complete list, or None where the models list examples of an open set."""

_THO = "http://terminology.hl7.org/CodeSystem/"
_CLINICAL = ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
_VERIFICATION = ("unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error")
_ALLERGY = ("active", "inactive", "resolved")

BOUND: dict[tuple[str, str, str], tuple[str, tuple[str, ...]]] = {
    ("R4", "AdverseEvent", "severity"): (_THO + "adverse-event-severity", ("mild", "moderate", "severe")),
    ("R4", "AdverseEvent", "outcome"): (
        _THO + "adverse-event-outcome",
        ("resolved", "recovering", "ongoing", "resolvedWithSequelae", "fatal", "unknown"),
    ),
    ("R4", "AllergyIntolerance", "clinicalStatus"): (_THO + "allergyintolerance-clinical", _ALLERGY),
    ("R5", "AllergyIntolerance", "clinicalStatus"): (_THO + "allergyintolerance-clinical", _ALLERGY),
    ("R4", "AllergyIntolerance", "verificationStatus"): (
        _THO + "allergyintolerance-verification",
        ("unconfirmed", "confirmed", "refuted", "entered-in-error"),
    ),
    ("R5", "AllergyIntolerance", "verificationStatus"): (
        _THO + "allergyintolerance-verification",
        ("unconfirmed", "presumed", "confirmed", "refuted", "entered-in-error"),
    ),
    ("R4", "Condition", "clinicalStatus"): (_THO + "condition-clinical", _CLINICAL),
    ("R5", "Condition", "clinicalStatus"): (_THO + "condition-clinical", (*_CLINICAL, "unknown")),
    ("R4", "Condition", "verificationStatus"): (_THO + "condition-ver-status", _VERIFICATION),
    ("R5", "Condition", "verificationStatus"): (_THO + "condition-ver-status", _VERIFICATION),
    ("R5", "ResearchSubjectProgress", "subjectState"): (
        _THO + "research-subject-state",
        (
            *("candidate", "eligible", "follow-up", "ineligible", "not-registered", "off-study", "on-study"),
            *("on-study-intervention", "on-study-observation", "pending-on-study", "potential-candidate"),
            *("screening", "withdrawn"),
        ),
    ),
}
"""(version, type, element) -> (system, codes) of a CodeableConcept whose binding is required."""
