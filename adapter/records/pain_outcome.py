"""Pain outcome: one pain score, or the statement that it was not taken, anchored to one procedure.

Bounds, step and direction come from the instrument, never from the source (V1). Percent reductions and
elapsed times are calculated elsewhere and refused here.
"""

from __future__ import annotations

from decimal import Decimal

from . import lists
from .base import ALLOCATION, KEY, C, Need, O, R
from .derive import STANDARD_OFFSETS, standard_offset
from .fields import Bool, Code, Constant, Derived, Key, PainInstrument, Pattern, SubjectKey, Text
from .meta import FILLED, RecordSchema
from .number_fields import Dec, Int
from .rules import Out, Record, excused, recorded_after
from .study import ARM, ARM_LIMIT
from .time_fields import DateTimeOrPartial, Duration

_COPIED = ("scale_min", "scale_max", "direction")
_ZERO = ("PT0S", "PT0M", "PT0H", "P0D", "P0W", "P0M", "P0Y")
_SAME = {"PT1H": ("PT60M",), "P12M": ("P1Y",)}


def instrument_bounds(record: Record, out: Out) -> None:
    """V1: bounds and direction are the instrument's; the score lies within them and on its step, unscaled."""
    tool = lists.instruments()[record["instrument"]]
    low, high = record.get("scale_min", tool.min), record.get("scale_max", tool.max)
    for name, own in (("scale_min", tool.min), ("scale_max", tool.max), ("direction", tool.direction)):
        if own is None:
            if name not in record:
                out.add(name, "required", "bounds from the source for this instrument")
        elif record.get(name, own) != own:
            out.add(name, "V1.scale", f"{own} for this instrument")
    score = record.get("score")
    if score is None or low is None or high is None:
        return
    if not low <= score <= high:
        out.add("score", "V1.range", f"{low}..{high}")
    elif tool.step is not None and (score - low) % tool.step:
        out.add("score", "V1.step", f"step {tool.step}")


def scale_order(record: Record, out: Out) -> None:
    """A scale has a length."""
    if "scale_min" in record and "scale_max" in record and record["scale_min"] >= record["scale_max"]:
        out.add("scale_max", "order", "above scale_min")


def taken_or_not(record: Record, out: Out) -> None:
    """A collected score has a value; one not done has a reason and none (QSSTAT and QSREASND logic)."""
    if record["score_status"] == "not_done":
        for name in ("score", "pct_relief_reported"):
            if name in record:
                out.add(name, "not_done", "empty when score_status is not_done")
        if "missing_reason" not in record:
            out.add("missing_reason", "not_done", "needed when score_status is not_done")
    else:
        if "score" not in record:
            out.add("score", "required", "needed when score_status is collected")
        if "missing_reason" in record:
            out.add("missing_reason", "not_done", "only when score_status is not_done")


def nominal(record: Record, out: Out) -> None:
    """The nominal offset agrees with a time point that says its own, and is needed where the code says
    none.
    """
    said = standard_offset(record["timepoint_code"]) if "timepoint_code" in record else None
    given = record.get("nominal_offset")
    if given is None:
        if said is None and not excused(record, "nominal_offset"):
            out.add("nominal_offset", "absent_reason", "a value, or its absent reason")
        return
    code = record.get("timepoint_code")
    if code == "baseline":
        if given not in _ZERO:
            out.add("nominal_offset", "timepoint_offset", "a zero duration for baseline")
    elif said is not None and code not in STANDARD_OFFSETS and not _same_length(given, said):
        out.add("nominal_offset", "timepoint_offset", f"{said} for this time point")


def _same_length(given: str, said: str) -> bool:
    """Whether two durations mean the same: equal text, weeks as days, or 60 minutes as an hour."""
    if given.endswith("W"):
        given = f"P{7 * int(given[1:-1])}D"
    return given == said or given in _SAME.get(said, ())


def hour_scale(record: Record, out: Out) -> None:
    """V3: an hour-scale time point needs a full time with offset."""
    offset = record.get("nominal_offset") or standard_offset(record.get("timepoint_code", ""))
    if offset is None or not offset.startswith("PT") or offset in _ZERO or record["score_status"] == "not_done":
        return
    if len(record.get("assessed_at", "")) <= 10:
        out.add("assessed_at", "V3.full_time", "full date-time with offset for an hour-scale time point")


class PainOutcome(RecordSchema):
    """A pain score."""

    kind = Constant("pain_outcome", KEY, "Record kind")
    subject_id = SubjectKey(KEY, "Study pseudonym")
    study_id = Key(O, "Key of the study; absent in registry use")
    anchor_procedure_id = Key(R, "Which procedure of the subject the time point counts from")
    target_no = Int(1, 50, O, "Target of that procedure")
    timepoint_code = Code("timepoint", R, "Planned time point")
    assessed_at = DateTimeOrPartial(R, "When the score was taken")
    nominal_offset = Duration(Need("R"), "Planned time after the anchor; from the time point when absent", filled=True)
    instrument = PainInstrument("instrument", KEY, "Instrument")
    scale_min = Dec("-1000", "1000", FILLED, "Lowest value of the scale, from the instrument", filled=True)
    scale_max = Dec("-1000", "1000", FILLED, "Highest value of the scale, from the instrument", filled=True)
    direction = Code("scale-direction", FILLED, "Which end is better, from the instrument", filled=True)
    score = Dec("-1000", "1000", C("collected", excusable=False), "The score as taken; unit by instrument")
    score_status = Code("score-status", KEY, "Whether the score was taken")
    missing_reason = Code("absent-reason", C("not_done", excusable=False), "Why it was not taken")
    pain_context = Code("pain-context", R, "What the pain was scored at")
    recall_period = Code("recall-period", R, "Time the score looks back over")
    body_site = Code("body-site", R, "Where it hurts", other_text="body_site_text")
    body_site_text = Text(C("body_site is other", excusable=False), "The site in the source's words", longest=200)
    laterality = Code("laterality", R, "Side")
    site_relation = Code("site-relation", O, "Relation of the site to the treated one")
    pct_relief_reported = Dec("0", "100", O, "Relief in the patient's own words, collected, not calculated", unit="%")
    assessor_id = Key(R, "Pseudonym of the assessor; the subject's key for a self report")
    assessor_role = Code("assessor-role", R, "Role of the assessor")
    assessor_blinded = Bool(R, "Whether the assessor was blinded to the allocation")
    blind_guess = Pattern(ARM, O, "Arm the assessor guesses, or unsure", limit=ARM_LIMIT, see=ALLOCATION)
    mode = Code("mode", R, "How the score was taken")
    rescue_since_last = Bool(O, "Whether rescue treatment was taken since the last score")
    actual_offset = Derived("Time elapsed since the anchor")
    pct_reduction_calc = Derived("Percent reduction from baseline")
    baseline_scope = Derived("Baseline the reduction refers to")
    derivation_status = Derived("Whether the reduction is defined")

    rules = (
        instrument_bounds,
        scale_order,
        taken_or_not,
        nominal,
        hour_scale,
        recorded_after("assessed_at"),
    )

    @classmethod
    def business(cls, record: Record) -> str:
        """subject/procedure/target/instrument/context/time point; without target number its site and side."""
        place = f"{record.get('body_site', '-')}-{record.get('laterality', '-')}"
        target = f"T{record['target_no']}" if "target_no" in record else place
        parts = (record.get(name, "-") for name in ("pain_context", "timepoint_code"))
        anchor = record.get("anchor_procedure_id", "-")
        return "/".join((record["subject_id"], anchor, target, record["instrument"], *parts))

    @classmethod
    def fill(cls, record: Record) -> None:
        """Copy the scale from the instrument, and the nominal offset from the time point."""
        tool = lists.instruments()[record["instrument"]]
        for name, own in zip(_COPIED, (tool.min, tool.max, tool.direction), strict=True):
            if name not in record and own is not None:
                record[name] = Decimal(own) if name != "direction" else own
        if "nominal_offset" not in record and not excused(record, "nominal_offset"):
            said = standard_offset(record.get("timepoint_code", ""))
            if said is not None:
                record["nominal_offset"] = said
