"""Procedure: one session of treatment on one or more targets (domain model, ProcedureRecord).

The fields stand here; what the technique and the performed status make legal stands in `procedure_rules`.
Dose is calculated elsewhere and refused here.
"""

from __future__ import annotations

from . import procedure_rules as rules_of
from .base import KEY, REVEALING, C, Item, O, R
from .fields import Bool, Code, Constant, Derived, Key, Pattern, SubjectKey, Text, Uuid
from .meta import RecordSchema
from .nested import Codes, Items, List, Nested
from .number_fields import Dec, Int
from .time_fields import DateTimeOrPartial, Partial


class Component(Item):
    """One agent of the injectate, or of the skin anaesthetic."""

    agent_class = Code("agent-class", KEY, "Class of the agent; enough when the source names no agent", see=REVEALING)
    agent = Code("agent", R, "The agent; unspecified when only its class is known", but=("none",), see=REVEALING)
    conc_value = Dec("0.000001", "1000", C("the agent has a strength"), "Strength, in conc_unit", see=REVEALING)
    conc_unit = Code("conc-unit", C("conc_value is given"), "Unit of the strength; 1 % w/v is 10 mg/mL", see=REVEALING)
    volume_ml = Dec("0.01", "60", C("injected"), "Volume of this component", unit="mL", see=REVEALING)
    dose_mg = Derived("Dose, strength times volume", unit="mg", see=REVEALING)
    lot = Text(O, "Lot number", longest=50, see=REVEALING)
    expiry = Partial(O, "Expiry date, as printed", see=REVEALING)


class Target(Item):
    """One structure treated. Both sides are two targets."""

    target_no = Int(1, 50, KEY, "Number of the target, 1 to n")
    structure_type = Code("structure-type", R, "Kind of structure", see=REVEALING)
    structure_code = Code("structure", R, "The structure", see=REVEALING)
    structure_level = Code("structure-level", R, "Branch or level; unspecified when the source does not say")
    region = Code("region", R, "Body region")
    laterality = Code("laterality", R, "Side; both sides are two targets", only=("left", "right", "midline"))
    entrapment_site = Code("entrapment-site", O, "Tunnel that entraps the nerve")
    pathology = Codes("pathology", O, "Abnormal findings")
    plane_superficial = Code("structure", C("interfascial technique"), "Structure above the plane", see=REVEALING)
    plane_deep = Code("structure", C("interfascial technique"), "Structure below the plane", see=REVEALING)
    layers_before = Int(1, 20, O, "Fascial layers before")
    layers_after = Int(1, 20, O, "Fascial layers after", see=REVEALING)
    fascia_mm_before = Dec("0.1", "30", O, "Fascial thickness before", unit="mm")
    fascia_mm_after = Dec("0.1", "30", O, "Fascial thickness after", unit="mm", see=REVEALING)
    nerve_csa_before = Dec("1", "60", O, "Cross-sectional area of the nerve before", unit="mm2")
    nerve_csa_after = Dec("1", "60", O, "Cross-sectional area of the nerve after", unit="mm2", see=REVEALING)
    gliding_before = Code("gliding", O, "Gliding of the layers before", see=REVEALING)
    gliding_after = Code("gliding", O, "Gliding of the layers after", see=REVEALING)
    separation_achieved = Code("separation", O, "How far the layers came apart", see=REVEALING)
    extent_cm2 = Dec("0.5", "600", O, "Area treated", unit="cm2", see=REVEALING)
    volume_ml = Dec("0.1", "60", C("injectate_total_ml is given"), "Volume at this target", unit="mL", see=REVEALING)


class Procedure(RecordSchema):
    """One session of treatment."""

    kind = Constant("procedure", KEY, "Record kind")
    procedure_id = Key(KEY, "Key of the procedure within the subject")
    subject_id = SubjectKey(KEY, "Study pseudonym")
    study_id = Key(O, "Key of the study; absent in registry use")
    course_id = Key(R, "Key of the course of treatment")
    session_number = Int(1, 50, R, "Number of the session in its course")
    sessions_planned = Int(1, 50, O, "Sessions planned for the course")
    purpose = Code("purpose", R, "Why it is done", see=REVEALING)
    therapy_role = Code("therapy-role", O, "Place among the subject's other treatment")
    indication = Key(R, "condition_id of the subject's condition")
    technique = Code(
        "technique",
        KEY,
        "Technique; decides which fields are legal",
        other_text="technique_verbatim",
        see=REVEALING,
    )
    technique_verbatim = Text(
        C("technique is other", excusable=False),
        "The technique in the clinic's words",
        longest=500,
        see=REVEALING,
    )
    performed_status = Code("performed-status", KEY, "How far it was done")
    not_done_reason = Code("not-done-reason", C("partial, abandoned or not_done"), "Why not completed")
    started_at = DateTimeOrPartial(R, "Start, as far as known")
    ended_at = DateTimeOrPartial(O, "End, as far as known", see=REVEALING)
    guidance = Codes("guidance", R, "Imaging or landmarks that guided the needle")
    guidance_realtime = Bool(O, "Whether the needle was watched in real time")
    probe_type = Code("probe-type", O, "Ultrasound probe")
    probe_mhz = Dec("2", "30", O, "Probe frequency", unit="MHz")
    image_saved = Bool(O, "Whether an image was stored")
    approach = Code("approach", O, "Approach of the needle")
    needle_orientation = Code("needle-orientation", O, "Needle in or out of the imaging plane", see=REVEALING)
    nerve_axis = Code("nerve-axis", O, "Nerve seen in short or long axis")
    needle_gauge = Int(18, 32, O, "Needle gauge, not for filiform needles", unit="{gauge}", see=REVEALING)
    needle_mm = Dec("13", "150", O, "Needle length", unit="mm", see=REVEALING)
    needle_kind = Code("needle-kind", O, "Kind of needle", see=REVEALING)
    needle_diameter_mm = Dec("0.16", "0.45", O, "Diameter of a filiform needle", unit="mm", see=REVEALING)
    needle_entries = Int(1, 40, O, "Needle entries through the skin", see=REVEALING)
    needle_passes = Int(1, 200, C("dry needling"), "Needle passes", see=REVEALING)
    twitch_response = Bool(C("dry needling"), "Whether a local twitch was seen", see=REVEALING)
    operator_id = Key(R, "Pseudonym of the operator")
    operator_role = Code("operator-role", R, "Role of the operator")
    operator_experience = Int(0, 60, O, "Experience of the operator", unit="a")
    patient_position = Code("patient-position", O, "Position of the patient")
    skin_prep = Code("skin-prep", O, "Skin preparation")
    skin_anaesthetic = Nested(Component, O, "Anaesthetic of the skin; counts in dose sums", see=REVEALING)
    injectate_stated = Bool(C("not dry needling"), "Whether the source states what was injected", see=REVEALING)
    injectate_total_ml = Dec("0.1", "60", C("injectate_stated"), "Total volume injected", unit="mL", see=REVEALING)
    injectate_components = Items(
        Component, C("the technique injects"), "Parts of the injectate", most=20, see=REVEALING
    )
    procedural_pain_nrs = Int(0, 10, O, "Discomfort during the act, 0 to 10; no baseline", unit="{score}")
    immediate_response = Code("immediate-response", O, "Response right after")
    immediate_response_evidence = Uuid(O, "record_id of the score that shows the response")
    ae_assessed = Bool(R, "Whether adverse effects were looked for")
    complications = Codes(
        "complication",
        C("ae_assessed"),
        "Complications, or none when assessed and none seen",
        none=True,
        see=REVEALING,
    )
    equipment_advice = Codes("equipment-advice", O, "Equipment advised afterwards, or none", none=True)
    downtime_days = Int(0, 365, O, "Days without usual activity", unit="d")
    return_activity_date = Partial(O, "Return to activity, as far as known")
    planned_follow_up = Codes("timepoint", O, "Planned follow-up time points")
    deviations = List(
        Pattern("[a-z0-9_]+", limit="lower case, digits and _"),
        O,
        "Protocol deviations, in the project's own free codes",
        unique=True,
        most=50,
        see=REVEALING,
    )
    treatment_alias = Text(O, "Label of the treatment kit; must not sort by arm", longest=64)
    targets = Items(Target, R, "Structures treated, at least one", most=50)

    key_fields = ("subject_id", "procedure_id")
    rules = (
        rules_of.times,
        rules_of.performed,
        rules_of.injectate,
        rules_of.components,
        rules_of.volumes,
        rules_of.technique_fields,
        rules_of.targets,
        rules_of.imaging_and_needle,
        rules_of.effects,
    )
    warnings = (rules_of.large_volume, rules_of.more_layers, rules_of.more_sessions)
