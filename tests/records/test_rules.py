"""Every single-record rule: the change that breaks it, and the field and rule that are named (S07 among
them).
"""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from adapter import records

from .helpers import GONE, changed, faults, limits

NEEDLING = {
    "technique": "dry_needling",
    "injectate_stated": GONE,
    "injectate_total_ml": GONE,
    "injectate_components": GONE,
    "targets.1.volume_ml": GONE,
    "needle_kind": "filiform",
    "needle_gauge": GONE,
    "needle_diameter_mm": D("0.25"),
    "needle_passes": 20,
    "twitch_response": True,
}
NOT_TAKEN = {
    "score_status": "not_done",
    "score": GONE,
    "pct_relief_reported": GONE,
    "missing_reason": "withdrawn",
}
PLANNED = {
    "performed_status": "not_done",
    "not_done_reason": "refused",
    "ended_at": GONE,
    "guidance_realtime": GONE,
    "image_saved": GONE,
    "needle_entries": GONE,
    "procedural_pain_nrs": GONE,
    "immediate_response": GONE,
    "downtime_days": GONE,
    "return_activity_date": GONE,
    "targets.1.layers_after": GONE,
    "targets.1.fascia_mm_after": GONE,
    "targets.1.gliding_after": GONE,
    "targets.1.separation_achieved": GONE,
    "targets.1.extent_cm2": GONE,
}
VALID = [
    ("pain_outcome", {}),
    ("pain_outcome", NOT_TAKEN),
    ("pain_outcome", {"score": D("7.0")}),
    ("pain_outcome", {"assessed_at": "2026-02"}),
    ("pain_outcome", {"instrument": "vas_0_10_cm", "score": D("4.9"), "scale_min": GONE, "scale_max": GONE}),
    ("pain_outcome", {"timepoint_code": "baseline", "nominal_offset": "P0D"}),
    ("pain_outcome", {"timepoint_code": "h1", "nominal_offset": "PT60M"}),
    ("pain_outcome", {"timepoint_code": "w12", "nominal_offset": "P12W"}),
    ("procedure", NEEDLING),
    ("procedure", NEEDLING | {"injectate_stated": False}),
    ("procedure", PLANNED),
    ("procedure", {"injectate_total_ml": D("10.1")}),
    ("procedure", {"started_at": "2026-02", "ended_at": "2026-02-18T10:27:00+03:00"}),
    ("procedure", {"injectate_components.1.expiry": "2026-02"}),
    (
        "subject",
        {
            "version": 2,
            "supersedes_version": 1,
            "change_reason": "typing error",
            "record_status": "corrected",
        },
    ),
    ("study", {"arms.1.planned_size": GONE}),
]
BROKEN: list[tuple[str, dict[str, Any], set[tuple[str, str]]]] = [
    # faults of a list and of its items stand side by side
    (
        "procedure",
        {"technique": "nerve_block", "targets.1.plane_deep": "gluteus_maximus"},
        {("targets", "V5.nerve"), ("targets.1.plane_deep", "planes_differ")},
    ),
    (
        "procedure",
        {"injectate_components.1.conc_value": D("101")},
        {("injectate_components.1.conc_value", "range")},
    ),
    ("procedure", {"injectate_stated": GONE}, {("injectate_stated", "absent_reason")}),
    (
        "procedure",
        {"technique_verbatim": GONE, "field_absent_reason": {"skin_anaesthetic.agent": "unknown"}},
        {("skin_anaesthetic.agent", "absent_conflict")},
    ),
    (
        "procedure",
        {"field_absent_reason": {"targets.1.target_no": "unknown", "targets.1.region.x": "unknown"}},
        {("field_absent_reason", "absent_path")},
    ),
    (
        "procedure",
        {"field_absent_reason": {"targets.1.region": "unknown"}},
        {("targets.1.region", "absent_conflict")},
    ),
    ("procedure", {"field_absent_reason": {}}, {("field_absent_reason", "empty")}),
    ("procedure", {"field_absent_reason": ["region"]}, {("field_absent_reason", "type")}),
    (
        "pain_outcome",
        {
            "timepoint_code": GONE,
            "nominal_offset": GONE,
            "field_absent_reason": {"timepoint_code": "not_in_source"},
        },
        {("nominal_offset", "absent_reason")},
    ),
    ("enrolment", {"status_history.4.at": "2026-02-19"}, {("status_history.4.at", "recorded_before")}),
    (
        "enrolment",
        {
            "unblinding": [
                {
                    "at": "2026-02-20T00:00:00+03:00",
                    "by": "DM1",
                    "reason": "planned",
                    "recipient_role": "sponsor",
                }
            ]
        },
        {("unblinding.1.at", "recorded_before")},
    ),
    (
        "enrolment",
        {
            "unblinding": [
                {
                    "at": "2026-02-18T09:40:00+02:00",
                    "by": "DM1",
                    "reason": "planned",
                    "recipient_role": "sponsor",
                }
            ]
        },
        {("unblinding.1.at", "offset")},
    ),
    # S07: out of range. Nothing is clipped or rescaled.
    ("pain_outcome", {"score": D("11")}, {("score", "V1.range")}),
    ("pain_outcome", {"score": D("7.5")}, {("score", "V1.step")}),
    ("pain_outcome", {"score": D("62")}, {("score", "V1.range")}),
    ("procedure", {"needle_gauge": 8}, {("needle_gauge", "range")}),
    (
        "procedure",
        {
            "injectate_components.1.volume_ml": D("6"),
            "injectate_components": [
                {
                    "agent_class": "saline",
                    "agent": "sodium_chloride",
                    "conc_value": D("0.9"),
                    "conc_unit": "percent_wv",
                    "volume_ml": volume,
                }
                for volume in (D("6"), D("3"))
            ],
        },
        {("injectate_total_ml", "sum")},
    ),
    (
        "procedure",
        NEEDLING
        | {
            "injectate_components": [
                {
                    "agent_class": "saline",
                    "agent": "unspecified",
                    "volume_ml": D("2"),
                    "conc_value": D("0.9"),
                    "conc_unit": "percent_wv",
                }
            ]
        },
        {("injectate_components", "V5.no_injectate")},
    ),
    # RecordMeta
    ("subject", {"source_system": GONE}, {("source_system", "required")}),
    ("subject", {"version": 2}, {("supersedes_version", "version"), ("change_reason", "version")}),
    (
        "subject",
        {"version": 3, "supersedes_version": 1, "change_reason": "x"},
        {("supersedes_version", "version")},
    ),
    ("subject", {"supersedes_version": 1}, {("supersedes_version", "version")}),
    ("subject", {"record_status": "corrected"}, {("record_status", "version")}),
    ("subject", {"record_status": "deleted"}, {("record_status", "code")}),
    ("subject", {"site_timezone": "Europe/Atlantis"}, {("site_timezone", "zone")}),
    ("subject", {"synthetic": False}, {("synthetic", "code")}),
    ("subject", {"recorded_at": "2026-02-16T09:05:00+02:00"}, {("recorded_at", "offset")}),
    ("subject", {"recorded_at": "2026-02-16T09:05:00"}, {("recorded_at", "naive_time")}),
    ("subject", {"recorded_at": "2026-02-16"}, {("recorded_at", "format")}),
    # absent values
    ("subject", {"sex": GONE}, {("sex", "absent_reason")}),
    ("subject", {"field_absent_reason": {"sex": "unknown"}}, {("sex", "absent_conflict")}),
    ("subject", {"field_absent_reason": {"colour": "unknown"}}, {("field_absent_reason", "absent_path")}),
    (
        "subject",
        {"field_absent_reason": {"conditions.3.onset": "unknown"}},
        {("field_absent_reason", "absent_path")},
    ),
    (
        "subject",
        {"field_absent_reason": {"conditions.0.onset": "unknown"}},
        {("field_absent_reason", "absent_path")},
    ),
    (
        "subject",
        {"field_absent_reason": {"conditions.1": "unknown"}},
        {("field_absent_reason", "absent_path")},
    ),
    (
        "subject",
        {"field_absent_reason": {"conditions.2.condition_id": "unknown"}},
        {("field_absent_reason", "absent_path")},
    ),
    ("subject", {"field_absent_reason": {"weight_kg": "forgotten"}}, {("field_absent_reason", "code")}),
    ("pain_outcome", NOT_TAKEN | {"assessor_id": GONE}, {("assessor_id", "absent_reason")}),
    (
        "procedure",
        {"injectate_components.1.conc_value": GONE},
        {("injectate_components.1.conc_value", "absent_reason")},
    ),
    # subject
    ("subject", {"subject_id": "Maria-Kaya"}, {("subject_id", "pseudonym")}),
    ("subject", {"subject_id": "12345678"}, {("subject_id", "pseudonym")}),
    ("subject", {"subject_id": "1984-05-06"}, {("subject_id", "pseudonym")}),
    ("subject", {"subject_id": "HD 17"}, {("subject_id", "format")}),
    ("subject", {"birth_year": 2027}, {("birth_year", "range")}),
    ("subject", {"deceased_at": "1980"}, {("deceased_at", "order")}),
    ("subject", {"deceased_at": "2026-03"}, {("deceased_at", "recorded_before")}),
    ("subject", {"weight_kg": D("251")}, {("weight_kg", "range")}),
    ("subject", {"allergies": ["none", "lidocaine"]}, {("allergies", "none_exclusive")}),
    ("subject", {"allergies": ["lidocaine", "lidocaine"]}, {("allergies.2", "duplicate")}),
    (
        "subject",
        {"conditions.2.condition_id": "PS-L"},
        {
            ("conditions.2.condition_id", "duplicate"),
            ("conditions.1.coexists_with", "reference"),
            ("conditions.2.coexists_with", "reference"),
        },
    ),
    ("subject", {"conditions.1.coexists_with": "C9"}, {("conditions.1.coexists_with", "reference")}),
    ("subject", {"conditions.1.condition_code": "other"}, {("conditions.1.condition_text", "other_text")}),
    ("subject", {"conditions.1.onset": "2026-03-01"}, {("conditions.1.onset", "recorded_before")}),
    ("subject", {"prior_therapies.1.period_end": "2024"}, {("prior_therapies.1.period_end", "order")}),
    # study
    ("study", {"study_id": "NCT123"}, {("study_id", "nct")}),
    ("study", {"identifiers": ["NCT07326982"]}, {("identifiers.1", "synthetic_id")}),
    ("study", {"citations.1.doi": "doi:10.1/x"}, {("citations.1.doi", "format")}),
    ("study", {"arms.1.planned_size": 20}, {("planned_enrolment", "sum")}),
    ("study", {"arms.2.arm_id": "A1"}, {("arms.2.arm_id", "duplicate")}),
    ("study", {"arms.1.period_sequence": ["A1", "A9"]}, {("arms.1.period_sequence.2", "reference")}),
    ("study", {"arms.1.arm_id": "arm/1"}, {("arms.1.arm_id", "format")}),
    ("study", {"age_min": 70}, {("age_max", "order")}),
    ("study", {"masking_level": "open"}, {("masking_roles", "masking")}),
    ("study", {"masking_roles": GONE}, {("masking_roles", "absent_reason")}),
    ("study", {"ratio": GONE}, {("ratio", "absent_reason")}),
    ("study", {"ratio": "1/1"}, {("ratio", "format")}),
    ("study", {"eligibility.1.op": GONE}, {("eligibility.1.op", "rule_parts")}),
    ("study", {"eligibility.2.value": D("5")}, {("eligibility.2.value", "rule_parts")}),
    ("study", {"timepoints.2.code": "baseline"}, {("timepoints.2.code", "duplicate")}),
    ("study", {"timepoints.1.offset": "P1DT2H"}, {("timepoints.1.offset", "format")}),
    # enrolment
    ("enrolment", {"consent_at": "2026-02-17T08:50:00+03:00"}, {("status_history.2.at", "V9.consent_first")}),
    (
        "enrolment",
        {"randomised_at": "2026-02-16T08:00:00+03:00"},
        {("randomised_at", "V9.consent_first"), ("randomised_at", "V9.screened_first")},
    ),
    (
        "enrolment",
        {"status_history.2.status": "withdrawn"},
        {
            ("status_history.3.status", "terminal_status"),
            ("status_history.4.status", "terminal_status"),
            ("withdrawal_reason", "absent_reason"),
            ("withdrawal_scope", "absent_reason"),
            ("data_retention", "absent_reason"),
        },
    ),
    (
        "enrolment",
        {"status_history.2.at": "2026-02-15"},
        {("status_history.2.at", "order"), ("status_history.2.at", "V9.consent_first")},
    ),
    ("enrolment", {"assigned_arm": GONE}, {("assigned_arm", "absent_reason")}),
    ("enrolment", {"screen_fail_reason": "lost"}, {("screen_fail_reason", "screen_fail")}),
    (
        "enrolment",
        {"eligibility_results.1.evidence_version": GONE},
        {("eligibility_results.1.evidence_version", "evidence")},
    ),
    (
        "enrolment",
        {"eligibility_results.2.criterion_id": "INC-1"},
        {("eligibility_results.2.criterion_id", "duplicate")},
    ),
    # procedure
    ("procedure", {"ended_at": "2026-02-18T10:14:59+03:00"}, {("ended_at", "order")}),
    ("procedure", {"ended_at": "2026-02-18T11:50:00+03:00"}, {("ended_at", "recorded_before")}),
    ("procedure", {"performed_status": "abandoned"}, {("not_done_reason", "absent_reason")}),
    ("procedure", {"not_done_reason": "refused"}, {("not_done_reason", "not_done")}),
    ("procedure", PLANNED | {"procedural_pain_nrs": 3}, {("procedural_pain_nrs", "not_done")}),
    ("procedure", PLANNED | {"complications": ["haematoma"]}, {("complications", "not_done")}),
    ("procedure", NEEDLING | {"injectate_stated": True}, {("injectate_stated", "V5.no_injectate")}),
    ("procedure", NEEDLING | {"targets.1.volume_ml": D("2")}, {("targets.1.volume_ml", "V5.no_injectate")}),
    ("procedure", NEEDLING | {"needle_passes": GONE}, {("needle_passes", "absent_reason")}),
    ("procedure", {"needle_passes": 3}, {("needle_passes", "V5.dry_needling")}),
    ("procedure", {"injectate_components": GONE}, {("injectate_components", "V5.injectate")}),
    ("procedure", {"injectate_stated": False}, {("injectate_components", "V5.injectate")}),
    (
        "procedure",
        {"injectate_stated": False, "injectate_components": GONE, "injectate_total_ml": GONE},
        {("injectate_components", "V5.injectate")},
    ),
    (
        "procedure",
        {"injectate_total_ml": D("10.2"), "targets.1.volume_ml": D("10.2")},
        {("injectate_total_ml", "sum")},
    ),
    ("procedure", {"targets.1.volume_ml": D("9.8")}, {("injectate_total_ml", "sum")}),
    (
        "procedure",
        {"injectate_components.1.conc_value": D("50.1")},
        {("injectate_components.1.conc_value", "strength")},
    ),
    ("procedure", {"skin_anaesthetic.conc_value": D("4.5")}, {("skin_anaesthetic.conc_value", "strength")}),
    ("procedure", {"skin_anaesthetic.agent": "dextrose"}, {("skin_anaesthetic.agent_class", "agent_class")}),
    ("procedure", {"skin_anaesthetic.agent": "none"}, {("skin_anaesthetic.agent", "code")}),
    ("procedure", {"skin_anaesthetic": {}}, {("skin_anaesthetic", "empty")}),
    ("procedure", {"injectate_components.1.conc_unit": GONE}, {("injectate_components.1.conc_unit", "unit")}),
    (
        "procedure",
        {"injectate_components.1.expiry": "2026-01"},
        {("injectate_components.1.expiry", "expired")},
    ),
    (
        "procedure",
        {"injectate_components.1.dose_mg": D("1000")},
        {("injectate_components.1.dose_mg", "derived_input")},
    ),
    ("procedure", {"targets.1.plane_deep": GONE}, {("targets.1.plane_deep", "V5.planes")}),
    ("procedure", {"targets.1.plane_deep": "gluteus_maximus"}, {("targets.1.plane_deep", "planes_differ")}),
    ("procedure", {"targets.1.plane_deep": "sciatic_nerve"}, {("targets.1.plane_deep", "plane_structure")}),
    ("procedure", {"technique": "nerve_hydrodissection"}, {("targets", "V5.nerve")}),
    (
        "procedure",
        {
            "technique": "fascial_hydrorelease",
            "targets.1.plane_deep": GONE,
            "targets.1.plane_superficial": GONE,
            "targets.1.structure_type": "nerve",
        },
        {("targets.1.layers_before", "layers"), ("targets.1.layers_after", "layers")},
    ),
    ("procedure", {"technique": "other", "technique_verbatim": GONE}, {("technique_verbatim", "other_text")}),
    ("procedure", {"targets.1.target_no": 2}, {("targets.1.target_no", "numbering")}),
    ("procedure", {"targets.1.laterality": "bilateral"}, {("targets.1.laterality", "code")}),
    (
        "procedure",
        {"guidance": ["landmark"]},
        {("probe_type", "ultrasound"), ("probe_mhz", "ultrasound"), ("image_saved", "ultrasound")},
    ),
    ("procedure", {"needle_kind": "filiform"}, {("needle_gauge", "needle")}),
    ("procedure", {"needle_diameter_mm": D("0.3")}, {("needle_diameter_mm", "needle")}),
    ("procedure", {"needle_mm": D("12.9")}, {("needle_mm", "range")}),
    ("procedure", {"ae_assessed": False}, {("complications", "ae_assessed")}),
    ("procedure", {"complications": GONE}, {("complications", "absent_reason")}),
    ("procedure", {"complications": ["none", "haematoma"]}, {("complications", "none_exclusive")}),
    (
        "procedure",
        {"immediate_response": GONE, "immediate_response_evidence": "0b6c1e0e-51f2-5a3c-9b1e-2f6f0a9d7c11"},
        {("immediate_response_evidence", "reference")},
    ),
    ("procedure", {"deviations": ["Late visit"]}, {("deviations.1", "format")}),
    # pain outcome
    (
        "pain_outcome",
        {"scale_max": D("100")},
        {("scale_max", "V1.scale")},
    ),
    ("pain_outcome", {"direction": "higher_better"}, {("direction", "V1.scale")}),
    ("pain_outcome", {"instrument": "hit6"}, {("instrument", "code")}),
    (
        "pain_outcome",
        {"instrument": "unspecified_validated", "scale_min": GONE, "scale_max": GONE, "direction": GONE},
        {("scale_min", "required"), ("scale_max", "required")},
    ),
    (
        "pain_outcome",
        {"instrument": "unspecified_validated", "scale_min": D("10")},
        {("scale_max", "order"), ("score", "V1.range")},
    ),
    ("pain_outcome", {"score": GONE}, {("score", "required")}),
    ("pain_outcome", {"missing_reason": "lost"}, {("missing_reason", "not_done")}),
    ("pain_outcome", NOT_TAKEN | {"score": D("3")}, {("score", "not_done")}),
    ("pain_outcome", NOT_TAKEN | {"missing_reason": GONE}, {("missing_reason", "not_done")}),
    (
        "pain_outcome",
        {"score": GONE, "field_absent_reason": {"score": "lost"}},
        {("field_absent_reason", "absent_path"), ("score", "required")},
    ),
    ("pain_outcome", {"timepoint_code": "h1"}, {("nominal_offset", "timepoint_offset")}),
    (
        "pain_outcome",
        {"timepoint_code": "h1", "nominal_offset": GONE, "assessed_at": "2026-02-25"},
        {("assessed_at", "V3.full_time")},
    ),
    ("pain_outcome", {"timepoint_code": "baseline"}, {("nominal_offset", "timepoint_offset")}),
    ("pain_outcome", {"assessed_at": "2026-02-26T10:05:00+03:00"}, {("assessed_at", "recorded_before")}),
    ("pain_outcome", {"body_site": "other"}, {("body_site_text", "other_text")}),
    ("pain_outcome", {"pct_reduction_calc": D("57.1")}, {("pct_reduction_calc", "derived_input")}),
    ("pain_outcome", {"actual_offset": None}, {("actual_offset", "derived_input")}),
    ("pain_outcome", {"pct_relief_reported": D("100.1")}, {("pct_relief_reported", "range")}),
]


@pytest.mark.parametrize(("kind", "changes"), VALID)
def test_what_the_rules_allow(kind, changes):
    records.load(kind, changed(kind, changes))


@pytest.mark.parametrize(("kind", "changes", "expected"), BROKEN)
def test_what_the_rules_refuse(kind, changes, expected):
    assert faults(changed(kind, changes)) == expected


def test_the_limit_is_told_and_the_value_is_not():
    told = limits(changed("pain_outcome", {"score": D("62"), "blind_guess": "A1"}))
    assert told == {"score": "0..10"}
    told = limits(changed("procedure", {"needle_gauge": 8, "treatment_alias": " secret"}))
    assert told == {"needle_gauge": "18..32", "treatment_alias": "no outer white space"}


@pytest.mark.parametrize(
    ("zone", "time", "fits"),
    [
        ("America/New_York", "2026-11-01T01:20:00-04:00", True),
        ("America/New_York", "2026-11-01T01:20:00-05:00", True),
        ("America/New_York", "2026-03-08T02:30:00-05:00", False),  # a wall time in the spring gap
        ("America/New_York", "2026-03-08T02:30:00-04:00", False),
        ("America/New_York", "2026-03-08T03:30:00-04:00", True),
        ("Europe/Berlin", "2026-03-25T09:00:00+01:00", True),
        ("Europe/Berlin", "2026-04-01T09:00:00+01:00", False),
        ("Europe/London", "2026-01-10T09:00:00Z", True),
        ("Europe/Istanbul", "2026-01-10T09:00:00Z", False),
    ],
)
def test_offsets_are_those_of_the_site_at_that_instant(zone, time, fits):
    times = {"site_timezone": zone, "assessed_at": time, "timepoint_code": "h1", "nominal_offset": "PT1H"}
    recorded = {"recorded_at": "2026-12-01T12:00:00" + {"A": "-05:00", "E": "+01:00"}[zone[0]]}
    recorded |= {"recorded_at": "2026-12-01T12:00:00Z"} if zone == "Europe/London" else {}
    recorded |= {"recorded_at": "2026-12-01T12:00:00+03:00"} if zone == "Europe/Istanbul" else {}
    obj = changed("pain_outcome", times | recorded)
    if fits:
        assert records.load(None, obj)["assessed_at"] == time
    else:
        assert faults(obj) == {("assessed_at", "offset")}


def test_a_time_without_offset_is_refused():
    obj = changed("pain_outcome", {"site_timezone": "America/New_York", "assessed_at": "2026-11-01T01:20:00"})
    assert faults(obj) == {("assessed_at", "naive_time")}


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        (
            "procedure",
            {
                "injectate_total_ml": D("24"),
                "injectate_components.1.volume_ml": D("24"),
                "targets.1.volume_ml": D("24"),
            },
            [("targets.1.volume_ml", "W.volume")],
        ),
        ("procedure", {"targets.1.layers_after": 7}, [("targets.1.layers_after", "W.layers")]),
        ("procedure", {"session_number": 2}, [("session_number", "W.sessions")]),
        ("study", {"actual_enrolment": 43}, [("actual_enrolment", "W.enrolment")]),
        ("procedure", {}, []),
    ],
)
def test_warnings_do_not_refuse(kind, changes, expected):
    record = records.load(kind, changed(kind, changes))
    assert [(issue.field, issue.rule) for issue in records.warnings(record)] == expected
