"""Study: protocol facts that are public or open to all who work in it; arms and time points are parts of it.

Who is in which arm stands in the enrolment records, never here. Block size is no field at all (rule B1).
"""

from __future__ import annotations

import re

from .base import KEY, C, Item, O, R
from .fields import Bool, Code, Constant, Key, Pattern, Text
from .meta import RecordSchema
from .nested import Codes, Items, List
from .number_fields import Dec, Int
from .rules import Out, Record, Rule, each, need, unique
from .time_fields import Duration

ARM = r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}"
ARM_LIMIT = "letters, digits, . and -"
_NCT = re.compile(r"NCT\d{8}").fullmatch


class Objective(Item):
    """What the study wants to find out."""

    text = Text(KEY, "The objective", longest=1000)
    type = Code("objective-type", O, "Rank of the objective")


class Hypothesis(Item):
    """A hypothesis of the protocol."""

    text = Text(KEY, "The hypothesis", longest=1000)
    type = Code("hypothesis-type", R, "Rank of the hypothesis")
    direction = Code("hypothesis-direction", R, "Direction that is tested")


class OutcomeMeasure(Item):
    """A planned outcome: an instrument at a time point."""

    role = Code("outcome-role", R, "Rank of the outcome")
    instrument = Code("instrument", KEY, "Instrument")
    timepoint = Code("timepoint", R, "Time point")


class Eligibility(Item):
    """One criterion: always its text, and where it can be computed also its rule."""

    criterion_id = Key(KEY, "Key of the criterion within the study")
    kind = Code("eligibility-kind", KEY, "Inclusion or exclusion")
    text = Text(KEY, "The criterion in words", longest=1000)
    measure = Code("eligibility-measure", O, "Measure the rule looks at")
    op = Code("eligibility-op", C("measure is given", excusable=False), "Comparison")
    value = Dec("-100000", "100000", C("measure is given", excusable=False), "Threshold, in the unit of the measure")
    timepoint = Code("timepoint", O, "Time point of the measure")
    anchor_purpose = Code("purpose", O, "Purpose of the procedure that the time point counts from")


class Citation(Item):
    """A publication."""

    text = Text(KEY, "The citation in words", longest=1000)
    doi = Pattern(r"10\.\d{4,9}/[!-~]{1,200}", O, "DOI without resolver", limit="10.<registrant>/<suffix>", longest=220)


class Contact(Item):
    """A public contact of the study; a role rather than a person in synthetic data."""

    name = Text(KEY, "Name or role", longest=200)
    telecom = Text(O, "Telephone or mail address", longest=200)


class Site(Item):
    """A place where the study runs."""

    site_id = Key(KEY, "Key of the site")
    name = Text(O, "Name of the site", longest=200)


class Timepoint(Item):
    """A planned time point and the window around it."""

    code = Code("timepoint", KEY, "Time point")
    anchor_event = Code("anchor-event", R, "Event the offset counts from")
    offset = Duration(R, "Planned time after the anchor")
    window_before = Duration(R, "How much earlier still counts")
    window_after = Duration(R, "How much later still counts")


class Arm(Item):
    """A public arm definition."""

    arm_id = Pattern(ARM, KEY, "Key of the arm within the study", limit=ARM_LIMIT)
    arm_label = Text(R, "Name of the arm", longest=200)
    arm_type = Code("arm-type", R, "Kind of arm")
    interventions = Codes("technique", R, "Techniques given in this arm")
    period_sequence = List(Pattern(ARM, limit=ARM_LIMIT), O, "Order of the arms a cross-over participant goes through")
    planned_size = Int(1, 1000000, O, "Planned number of participants")


def registry_ids(record: Record, out: Out) -> None:
    """What starts with NCT is a ClinicalTrials.gov number; synthetic records use NCT00000000 only
    (decisions 6).
    """
    named = [("study_id", record["study_id"])]
    named += [(f"identifiers.{n}", each_id) for n, each_id in enumerate(record.get("identifiers", ()), 1)]
    for path, value in named:
        if value.upper().startswith("NCT"):
            if not _NCT(value):
                out.add(path, "nct", "NCT and 8 digits")
            elif record.get("synthetic") and value != "NCT00000000":
                out.add(path, "synthetic_id", "NCT00000000 in synthetic records")


def unique_parts(record: Record, out: Out) -> None:
    """Keys of the parts are unique within the study."""
    for name, part in (
        ("eligibility", "criterion_id"),
        ("timepoints", "code"),
        ("arms", "arm_id"),
        ("sites", "site_id"),
    ):
        unique(record, out, name, part)


def randomised(record: Record, out: Out) -> None:
    """A randomised study says its unit, ratio and masking; masking beyond open says who is masked.

    Roles are never inferred from the word `double`.
    """
    if record.get("allocation") == "randomised" or record.get("design") == "prospective_rct":
        for name in ("masking_level", "randomisation_unit", "ratio"):
            need(record, out, name, record, when="the study is randomised")
    level = record.get("masking_level")
    if level == "open" and "masking_roles" in record:
        out.add("masking_roles", "masking", "only when masking_level is not open")
    if level is not None and level != "open":
        need(record, out, "masking_roles", record, when="masking_level is not open")


def numbers(record: Record, out: Out) -> None:
    """Ages in order; planned sizes of the arms add up to planned_enrolment."""
    if record.get("age_min", 0) > record.get("age_max", 200):
        out.add("age_max", "order", "not below age_min")
    sizes = [item.get("planned_size") for _, item in each(record, "arms")]
    if sizes and None not in sizes and record.get("planned_enrolment", sum(sizes)) != sum(sizes):  # type: ignore[arg-type]
        out.add("planned_enrolment", "sum", "sum of arms.planned_size")


def arm_references(record: Record, out: Out) -> None:
    """period_sequence names arms of this study."""
    known = {item["arm_id"] for _, item in each(record, "arms")}
    for path, item in each(record, "arms"):
        for number, arm in enumerate(item.get("period_sequence", ()), 1):
            if arm not in known:
                out.add(f"{path}period_sequence.{number}", "reference", "arm_id of this study")


def eligibility_rules(record: Record, out: Out) -> None:
    """The computable part of a criterion is whole: measure, op and value; the rest only with them."""
    for path, item in each(record, "eligibility"):
        if "measure" in item:
            for name in ("op", "value"):
                if name not in item:
                    out.add(path + name, "rule_parts", "measure, op and value together")
        else:
            for name in ("op", "value", "timepoint", "anchor_purpose"):
                if name in item:
                    out.add(path + name, "rule_parts", "only with measure")


def more_than_planned(record: Record, out: Out) -> None:
    """Warning: more participants than planned."""
    if record.get("actual_enrolment", 0) > record.get("planned_enrolment", 10**9):
        out.add("actual_enrolment", "W.enrolment", "planned_enrolment")


class Study(RecordSchema):
    """A study or registry."""

    kind = Constant("study", KEY, "Record kind")
    study_id = Key(KEY, "Key of the study")
    identifiers = List(Key(longest=100), R, "Registry numbers and other identifiers", unique=True, most=20)
    title = Text(R, "Title", longest=500)
    protocol_version = Text(R, "Version of the protocol; an amendment is a new one", longest=50)
    study_status = Code("study-status", KEY, "State of the study")
    design = Code("design", R, "Design")
    evidence_maturity = Code("evidence-maturity", O, "How mature the evidence is")
    primary_purpose = Code("primary-purpose", O, "Primary purpose")
    allocation = Code("allocation", O, "How participants are allocated")
    intervention_model = Code("intervention-model", O, "How arms relate to each other")
    masking_level = Code("masking-level", C("the study is randomised"), "How many parties are masked")
    masking_roles = Codes("masking-role", C("masking_level is not open"), "Who is masked")
    randomisation_unit = Code("randomisation-unit", C("the study is randomised"), "What is randomised")
    ratio = Pattern(r"[1-9]\d?(?::[1-9]\d?)+", C("the study is randomised"), "Allocation ratio", limit="such as 1:1")
    strata = List(Key(), O, "Stratification factors", unique=True, most=20)
    planned_enrolment = Int(1, 1000000, R, "Planned number of participants")
    actual_enrolment = Int(1, 1000000, O, "Number of participants so far")
    sex = Code("sex", O, "Sex of participants, when restricted")
    age_min = Int(0, 120, O, "Lowest age", unit="a")
    age_max = Int(0, 120, O, "Highest age", unit="a")
    healthy_volunteers = Bool(O, "Whether healthy volunteers take part")
    conditions = Codes("condition", O, "Conditions studied")
    objectives = Items(Objective, O, "Objectives", most=50)
    hypotheses = Items(Hypothesis, O, "Hypotheses", most=50)
    mechanisms = List(Text(longest=1000), O, "Supposed mechanisms", most=50)
    outcomes = Items(OutcomeMeasure, O, "Planned outcomes", most=100)
    eligibility = Items(Eligibility, R, "Eligibility criteria", most=100)
    citations = Items(Citation, O, "Publications", most=50)
    keywords = List(Text(longest=100), O, "Keywords", unique=True, most=50)
    contacts = Items(Contact, O, "Public contacts", most=20)
    sites = Items(Site, O, "Sites", most=200)
    timepoints = Items(Timepoint, O, "Planned time points", most=50)
    arms = Items(Arm, O, "Arms", most=20)

    key_fields = ("study_id",)
    rules: tuple[Rule, ...] = (  # type: ignore[misc]
        registry_ids,
        unique_parts,
        randomised,
        numbers,
        arm_references,
        eligibility_rules,
    )
    warnings = (more_than_planned,)
