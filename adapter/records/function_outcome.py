"""Function outcome: a score of function, impact or change, or a measured range of motion, threshold or conduction.

One record is one result: the instrument says which field holds it, within which bounds, and what else the record must
say (mappings/instruments.yaml). Item scores are numbers only: no text of any questionnaire is kept.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from . import lists
from .base import KEY, C, Item, O, R
from .fields import Code, Constant, Key, Tool
from .nested import Items
from .number_fields import Dec, Int
from .outcome import Outcome, taken_or_not
from .rules import Out, Record, Rule, each, forbid, need, unique

if TYPE_CHECKING:
    from adapter.catalog import Instrument

RESULTS = ("score", "value_deg", "ppt_value", "ncs_value")
SOURCE = ("ppt_source_value", "ppt_source_unit")
PARTICULARS = ("scoring_version", "value_set_id", "joint", "movement", "ncs_measure")


class ItemScore(Item):
    """The score of one item; an item that was not answered is left out."""

    item_no = Int(1, 20, KEY, "Number of the item in its instrument")
    score = Dec("0", "100", KEY, "Score of the item")


def fits_instrument(record: Record, out: Out) -> None:
    """The record says what its instrument needs, and nothing that belongs to another one."""
    tool = lists.instruments()[record["instrument"]]
    if (
        tool.by
        and record.get(tool.by) not in tool.variants
        and (tool.by in record or record["score_status"] != "not_done")
    ):
        out.add(tool.by, "required", f"for this instrument {' or '.join(tool.variants)}")
    for name in tool.needs:
        need(record, out, name, record, when="the instrument asks for it")
    own = (*tool.needs, tool.by, tool.value, *(SOURCE if tool.sources else ()))
    alien = tuple(name for name in (*PARTICULARS, *RESULTS, *SOURCE) if name not in own)
    forbid(record, out, "", alien, "instrument_field", "not for this instrument")
    if tool.items is None:
        forbid(record, out, "", ("item_scores",), "instrument_field", "not for this instrument")
    if "subscale" in record and record["subscale"] not in tool.subscales:
        limit = ", ".join(tool.subscales) or "not for this instrument"
        out.add("subscale", "instrument_field", limit)


def items(record: Record, out: Out) -> None:
    """Items have scores that the instrument gives; a total is the one its items make (V1)."""
    tool = lists.instruments()[record["instrument"]].of(record)
    if tool.items is None:
        return
    unique(record, out, "item_scores", "item_no")
    for path, item in each(record, "item_scores"):
        if item["item_no"] > tool.items.count:
            out.add(path + "item_no", "range", f"1..{tool.items.count}")
        if not tool.items.allows(item["score"]):
            among = ", ".join(map(str, tool.items.scores)) or f"whole numbers {tool.items.min}..{tool.items.max}"
            out.add(path + "score", "V1.item", among)
    score = record.get("score")
    if score is None or "subscale" in record or out.found:
        return
    found = [item["score"] for _, item in each(record, "item_scores")]
    if found and not _agrees(tool, score, found):
        out.add("score", "V1.items", f"the {tool.total} of item_scores")
    elif tool.items.scores and score not in reachable(tool):
        out.add("score", "V1.total", "a total that the items can have")


def _agrees(tool: Instrument, score: Decimal, found: list[Decimal]) -> bool:
    """Whether a score is what its items make, to the digits that it is given with. A sum needs all the items."""
    assert tool.items is not None
    total, count, low, high = sum(found, Decimal(0)), len(found), tool.items.min, tool.items.max
    if tool.total is None or (tool.total == "sum" and count < tool.items.count):
        return True
    made = {
        "sum": total,
        "mean": total / count,
        "percent": 100 * (total - count * low) / (count * (high - low)),
    }[tool.total]
    return (
        2 * abs(score - made) <= Decimal(1).scaleb(int(score.as_tuple()[2])) if tool.total != "sum" else score == made
    )


def reachable(tool: Instrument) -> set[Decimal]:
    """The totals that can arise from the item scores of an instrument: of HIT-6 not 37, 39 or 77."""
    assert tool.items is not None
    totals = {Decimal(0)}
    for _ in range(tool.items.count):
        totals = {total + score for total in totals for score in tool.items.scores}
    return totals


def reading(record: Record, out: Out) -> None:
    """V2: a reading in the device's own unit has its unit, and gives the value in the instrument's."""
    if ("ppt_source_value" in record) != ("ppt_source_unit" in record):
        missing = "ppt_source_unit" if "ppt_source_value" in record else "ppt_source_value"
        out.add(missing, "unit", "value and unit together")
        return
    made = converted(record)
    if made is None:
        return
    tool = lists.instruments()[record["instrument"]]
    value = record.get(tool.value, made)
    if 2 * abs(value - made) > Decimal(1).scaleb(int(value.as_tuple()[2])):
        out.add(tool.value, "V2.unit", "ppt_source_value in the instrument's unit")
    elif tool.min is not None and tool.max is not None and not tool.min <= made <= tool.max:
        out.add("ppt_source_value", "V1.range", f"{tool.min}..{tool.max} {tool.unit}")


def converted(record: Record) -> Decimal | None:
    """The reading in the instrument's unit, exact; None where there is none, or none that the instrument knows."""
    source = lists.instruments()[record["instrument"]].sources.get(record.get("ppt_source_unit", ""))
    value: Decimal | None = record.get("ppt_source_value")
    return None if source is None or value is None else value * source.factor


class FunctionOutcome(Outcome):
    """A score or measurement of function."""

    kind = Constant("function_outcome", KEY, "Record kind")
    instrument = Tool("function", KEY, "Instrument; says which field holds the result")
    scale_min = Dec(
        *("-1000", "1000"), C("the instrument has a scale", excusable=False), "Lowest value of the scale", filled=True
    )
    scale_max = Dec(
        *("-1000", "1000"), C("the instrument has a scale", excusable=False), "Highest value of the scale", filled=True
    )
    body_site = Code("body-site", C("the instrument asks for it"), "Where it was taken", other_text="body_site_text")
    laterality = Code("laterality", C("the instrument asks for it"), "Side")
    domain = Code("function-domain", R, "What the result is about")
    scoring_version = Code("scoring-version", C("several scorings", excusable=False), "How the items were put together")
    value_set_id = Key(C("eq5d5l_index"), "National value set of an index")
    subscale = Code("subscale", O, "Part of the instrument; the total when absent")
    item_scores = Items(ItemScore, O, "Scores of the items, numbers only", most=20)
    joint = Code("joint", C("rom"), "Joint that was moved")
    movement = Code("movement", C("rom"), "Direction of the movement")
    value_deg = Dec("-1000", "1000", C("rom", excusable=False), "Range of motion", unit="deg")
    ppt_value = Dec(
        *("0", "100000"), C("ppt", excusable=False), "Pressure pain threshold; from ppt_source_value when absent",
        unit="kPa", filled=True,
    )  # fmt: skip
    ppt_source_value = Dec("0.01", "1000", O, "Pressure as the device showed it", places=2)
    ppt_source_unit = Code("pressure-unit", C("ppt_source_value is given", excusable=False), "Unit of that reading")
    ncs_measure = Code("ncs-measure", C("ncs", excusable=False), "What the conduction study measured")
    ncs_value = Dec("0", "1000", C("ncs", excusable=False), "Its value, in m/s or ms by measure")

    rules: ClassVar[tuple[Rule, ...]] = (
        *Outcome.rules,
        taken_or_not(*RESULTS, *SOURCE, "item_scores"),
        fits_instrument,
        items,
        reading,
    )

    @classmethod
    def what(cls, record: Record) -> tuple[str, ...]:
        """Instrument, with the part, joint or measure that the result is of."""
        parts = (record.get(name) for name in ("subscale", "joint", "movement", "ncs_measure"))
        return (".".join((record["instrument"], *(part for part in parts if part))),)

    @classmethod
    def fill(cls, record: Record) -> None:
        """Also convert a reading in the device's own unit."""
        made = converted(record)
        if made is not None:
            record.setdefault("ppt_value", made)
        super().fill(record)
