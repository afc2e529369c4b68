"""What the outcome records share: a value taken with an instrument at a time point, or the statement that it was not.

Bounds, step and direction come from the instrument, never from the source (V1). Elapsed times are calculated elsewhere
and refused here. It must not know any one outcome kind.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from . import lists
from .base import ALLOCATION, KEY, C, Need, O, R
from .derive import STANDARD_OFFSETS, standard_offset
from .fields import Bool, Code, Derived, Key, Pattern, SubjectKey, Text, Tool
from .meta import FILLED, RecordSchema
from .number_fields import Dec, Int
from .rules import Out, Record, Rule, excused, recorded_after
from .study import ARM, ARM_LIMIT
from .time_fields import DateTimeOrPartial, Duration

SCORE = "score"
_COPIED = ("scale_min", "scale_max", "direction")
_ZERO = ("PT0S", "PT0M", "PT0H", "P0D", "P0W", "P0M", "P0Y")
_SAME = {"PT1H": ("PT60M",), "P12M": ("P1Y",)}


def instrument_bounds(record: Record, out: Out) -> None:
    """V1: bounds and direction are the instrument's; the value lies within them and on its step, unscaled."""
    tool = lists.instruments()[record["instrument"]].of(record)
    if tool.variants:
        return  # which of its scorings was used is not said: a fault of its own
    low, high = tool.min, tool.max
    if tool.value == SCORE:
        low, high = record.get("scale_min", low), record.get("scale_max", high)
    for name, own in zip(_COPIED, (tool.min, tool.max, tool.direction), strict=True):
        if name != "direction" and tool.value != SCORE:
            if name in record:
                out.add(name, "V1.scale", "no scale for this instrument")
        elif own is None:
            if name not in record:
                out.add(name, "required", "bounds from the source for this instrument")
        elif record.get(name, own) != own:
            out.add(name, "V1.scale", f"{own} for this instrument")
    value = record.get(tool.value)
    if value is None or low is None or high is None:
        return
    if not low <= value <= high:
        out.add(tool.value, "V1.range", f"{low}..{high}")
    elif tool.step is not None and (value - low) % tool.step:
        out.add(tool.value, "V1.step", f"step {tool.step}")


def scale_order(record: Record, out: Out) -> None:
    """A scale has a length."""
    if "scale_min" in record and "scale_max" in record and record["scale_min"] >= record["scale_max"]:
        out.add("scale_max", "order", "above scale_min")


def taken_or_not(*results: str) -> Rule:
    """What was collected has its value; what was not done has a reason and no `results` (QSSTAT, QSREASND)."""

    def rule(record: Record, out: Out) -> None:
        if record["score_status"] == "not_done":
            for name in results:
                if name in record:
                    out.add(name, "not_done", "empty when score_status is not_done")
            if "missing_reason" not in record:
                out.add("missing_reason", "not_done", "needed when score_status is not_done")
            return
        tool = lists.instruments()[record["instrument"]]
        if tool.value not in record and not (tool.sources and "ppt_source_value" in record):
            out.add(tool.value, "required", "needed when score_status is collected")
        if "missing_reason" in record:
            out.add("missing_reason", "not_done", "only when score_status is not_done")

    return rule


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


class Outcome(RecordSchema):
    """A value taken with an instrument. Subclasses say which instruments, and what else belongs to them."""

    subject_id = SubjectKey(KEY, "Study pseudonym")
    study_id = Key(O, "Key of the study; absent in registry use")
    anchor_procedure_id = Key(R, "Which procedure of the subject the time point counts from")
    target_no = Int(1, 50, O, "Target of that procedure")
    timepoint_code = Code("timepoint", R, "Planned time point")
    assessed_at = DateTimeOrPartial(R, "When the score was taken")
    nominal_offset = Duration(Need("R"), "Planned time after the anchor; from the time point when absent", filled=True)
    instrument = Tool("", KEY, "Instrument")
    scale_min = Dec("-1000", "1000", FILLED, "Lowest value of the scale, from the instrument", filled=True)
    scale_max = Dec("-1000", "1000", FILLED, "Highest value of the scale, from the instrument", filled=True)
    direction = Code("scale-direction", FILLED, "Which end is better, from the instrument", filled=True)
    score = Dec("-1000", "1000", C("collected", excusable=False), "The score as taken; unit by instrument")
    score_status = Code("score-status", KEY, "Whether the score was taken")
    missing_reason = Code("absent-reason", C("not_done", excusable=False), "Why it was not taken")
    body_site = Code("body-site", R, "Where it hurts", other_text="body_site_text")
    body_site_text = Text(C("body_site is other", excusable=False), "The site in the source's words", longest=200)
    laterality = Code("laterality", R, "Side")
    site_relation = Code("site-relation", O, "Relation of the site to the treated one")
    assessor_id = Key(R, "Pseudonym of the assessor; the subject's key for a self report")
    assessor_role = Code("assessor-role", R, "Role of the assessor")
    assessor_blinded = Bool(R, "Whether the assessor was blinded to the allocation")
    blind_guess = Pattern(ARM, O, "Arm the assessor guesses, or unsure", limit=ARM_LIMIT, see=ALLOCATION)
    mode = Code("mode", R, "How the score was taken")
    rescue_since_last = Bool(O, "Whether rescue treatment was taken since the last score")
    actual_offset = Derived("Time elapsed since the anchor")

    rules: ClassVar[tuple[Rule, ...]] = (
        instrument_bounds,
        scale_order,
        nominal,
        hour_scale,
        recorded_after("assessed_at"),
    )

    @classmethod
    def business(cls, record: Record) -> str:
        """subject/procedure/place/what/time point; the place is the target, or without its number site and side."""
        place = f"{record.get('body_site', '-')}-{record.get('laterality', '-')}"
        target = f"T{record['target_no']}" if "target_no" in record else place
        anchor, timepoint = (record.get(name, "-") for name in ("anchor_procedure_id", "timepoint_code"))
        return "/".join((record["subject_id"], anchor, target, *cls.what(record), timepoint))

    @classmethod
    def what(cls, record: Record) -> tuple[str, ...]:
        """What was scored, for the business key."""
        return (record["instrument"],)

    @classmethod
    def fill(cls, record: Record) -> None:
        """Copy the scale from the instrument, and the nominal offset from the time point."""
        tool = lists.instruments()[record["instrument"]].of(record)
        copied = _COPIED if tool.value == SCORE else _COPIED[2:]
        for name in copied:
            own = {"scale_min": tool.min, "scale_max": tool.max, "direction": tool.direction}[name]
            if name not in record and own is not None:
                record[name] = own if isinstance(own, str) else Decimal(own)
        if "nominal_offset" not in record and not excused(record, "nominal_offset"):
            said = standard_offset(record.get("timepoint_code", ""))
            if said is not None:
                record["nominal_offset"] = said
