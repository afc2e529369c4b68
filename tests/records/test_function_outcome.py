"""Function outcomes: each instrument with its own result, bounds, items and scorings, all of them data."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from adapter import records

from .helpers import GONE, changed, faults, limits

KIND = "function_outcome"
PLAIN = {"item_scores": GONE}
ROM = PLAIN | {"instrument": "rom", "score": GONE, "domain": "rom", "value_deg": D("28")}
ROM |= {"joint": "hip", "movement": "internal_rotation"}
PPT = PLAIN | {"instrument": "ppt", "score": GONE, "domain": "pain_sensitivity", "ppt_value": D("245")}
NCS = PLAIN | {
    "instrument": "ncs",
    "score": GONE,
    "domain": "nerve_function",
    "ncs_value": D("4.6"),
    "ncs_measure": "dml",
}
COPIED = {"scale_min": GONE, "scale_max": GONE, "direction": GONE}
BCTQ = PLAIN | {"instrument": "bctq_sss", "score": D("2.4"), "scoring_version": "mean"}


def scored(instrument: str, score: str, *items: int, **more: Any) -> dict[str, Any]:
    found = [{"item_no": n, "score": D(each)} for n, each in enumerate(items, 1)]
    return {"instrument": instrument, "score": D(score), "item_scores": found or GONE, **more}


def made(changes: dict[str, Any]) -> dict[str, Any]:
    """The example with changes, without what intake had copied from its instrument."""
    return changed(KIND, COPIED | changes)


VALID = [
    {},
    ROM,
    ROM | {"value_deg": D("-5.5")},
    PPT,
    PPT | {"ppt_value": D("245.2"), "ppt_source_value": D("2.5"), "ppt_source_unit": "kg_per_cm2"},
    NCS,
    NCS | {"ncs_measure": "sncv", "ncs_value": D("48.5")},
    BCTQ,
    BCTQ | {"score": D("33"), "scoring_version": "sum"},
    scored("hit6", "64", body_site=GONE, laterality=GONE),
    scored("hit6", "60", 10, 10, 10, 10, 10, 10),
    scored("midas", "23", 5, 8, 4, 6, 0),
    scored("odi", "33.3", 3, 2, 1, 0, 2, 2),  # percent of the items answered: 10 of 30
    scored("quickdash", "36.4", 1, 2, 3, 2, 3, 2, 3, 4, 2, 3, 2),
    scored("bctq_fss", "2.38", 2, 3, 2, 3, 2, 3, 2, 2, scoring_version="mean"),
    scored("bctq_fss", "19", 2, 3, 2, 3, 2, 3, 2, 2, scoring_version="sum"),
    scored("spadi", "48.5", subscale="pain"),
    scored("eq5d5l_index", "-0.076", 3, 3, 4, 5, 2, value_set_id="TR-2022"),
    scored("eq5d5l_index", "0.71", field_absent_reason={"value_set_id": "not_in_source"}),
    scored("pgic", "2"),
    PLAIN | {"score_status": "not_done", "score": GONE, "missing_reason": "withdrawn"},
    BCTQ | {"score_status": "not_done", "score": GONE, "scoring_version": GONE, "missing_reason": "lost"},
]
REFUSED = [
    # S07: sums that HIT-6 cannot have, one that is too high, a sum under the name of a mean
    (scored("hit6", "35"), {("score", "V1.range")}),
    (scored("hit6", "79"), {("score", "V1.range")}),
    *((scored("hit6", total), {("score", "V1.total")}) for total in ("37", "39", "77")),
    (BCTQ | {"score": D("33")}, {("score", "V1.range")}),
    (scored("hit6", "62", 10, 10, 10, 10, 10, 10), {("score", "V1.items")}),
    (scored("hit6", "60", 10, 10, 10, 10, 10, 9), {("item_scores.6.score", "V1.item")}),
    (scored("odi", "34", 3, 2, 1, 0, 2, 2), {("score", "V1.items")}),
    (scored("bctq_fss", "2.4", 2, 3, 2, 3, 2, 3, 2, 3, scoring_version="mean"), {("score", "V1.items")}),
    (scored("midas", "23", 5, 8, 4, 6, 0, 0), {("item_scores.6.item_no", "range")}),
    ({"item_scores.2.item_no": 1}, {("item_scores.2.item_no", "duplicate")}),
    (scored("pgic", "2", 1), {("item_scores", "instrument_field")}),
    (scored("midas", "451"), {("score", "V1.range")}),
    (scored("ndi", "20.5"), {("score", "V1.step")}),
    (BCTQ | {"scoring_version": GONE}, {("scoring_version", "required")}),
    (BCTQ | {"scoring_version": "percent"}, {("scoring_version", "required")}),
    ({"scoring_version": "sum"}, {("scoring_version", "instrument_field")}),
    ({"subscale": "pain"}, {("subscale", "instrument_field")}),
    (scored("eq5d5l_index", "0.71"), {("value_set_id", "absent_reason")}),
    ({"value_set_id": "TR-2022"}, {("value_set_id", "instrument_field")}),
    ({"instrument": "nrs_0_10"}, {("instrument", "code")}),
    (ROM | {"value_deg": D("361")}, {("value_deg", "V1.range")}),
    (ROM | {"joint": GONE}, {("joint", "absent_reason")}),
    (ROM | {"laterality": GONE}, {("laterality", "absent_reason")}),
    (ROM | {"value_deg": GONE}, {("value_deg", "required")}),
    (ROM | {"score": D("28")}, {("score", "instrument_field")}),
    (ROM | {"scale_min": D("0")}, {("scale_min", "V1.scale")}),
    (ROM | {"direction": "lower_better"}, {("direction", "V1.scale")}),
    (PPT | {"ppt_value": D("9")}, {("ppt_value", "V1.range")}),
    (PPT | {"ppt_source_value": D("2.5")}, {("ppt_source_unit", "unit")}),
    (PPT | {"ppt_source_value": D("3"), "ppt_source_unit": "kg_per_cm2"}, {("ppt_value", "V2.unit")}),
    (
        PPT | {"ppt_value": GONE, "ppt_source_value": D("0.1"), "ppt_source_unit": "kg_per_cm2"},
        {("ppt_source_value", "V1.range")},
    ),
    (NCS | {"ncs_value": D("15.1")}, {("ncs_value", "V1.range")}),
    (NCS | {"ncs_measure": "sncv"}, {("ncs_value", "V1.range")}),
    (NCS | {"ncs_measure": GONE}, {("ncs_measure", "required")}),
    ({"joint": "hip"}, {("joint", "instrument_field")}),
    (
        {"score_status": "not_done", "missing_reason": "lost"},
        {("score", "not_done"), ("item_scores", "not_done")},
    ),
    ({"actual_offset": 60}, {("actual_offset", "derived_input")}),
]


@pytest.mark.parametrize("changes", VALID)
def test_what_an_instrument_allows(changes: dict[str, Any]) -> None:
    records.load(KIND, made(changes))


@pytest.mark.parametrize(("changes", "expected"), REFUSED)
def test_what_an_instrument_refuses(changes: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert faults(made(changes)) == expected


def test_the_limit_names_the_items() -> None:
    told = limits(made(scored("hit6", "60", 10, 10, 10, 10, 10, 9)))
    assert told == {"item_scores.6.score": "6, 8, 10, 11, 13"}


def test_a_reading_of_the_device_is_converted_and_kept() -> None:
    """1 kg/cm2 is 98.0665 kPa, exact."""
    source = {"ppt_value": GONE, "ppt_source_value": D("2.5"), "ppt_source_unit": "kg_per_cm2"}
    record = records.load(KIND, made(PPT | source))
    assert (record["ppt_value"], record["ppt_source_value"]) == (D("245.16625"), D("2.5"))


@pytest.mark.parametrize(
    ("changes", "bounds"),
    [
        (BCTQ, (D("1"), D("5"), "lower_better")),
        (BCTQ | {"score": D("33"), "scoring_version": "sum"}, (D("11"), D("55"), "lower_better")),
        (scored("lefs", "61"), (D("0"), D("80"), "higher_better")),
        (ROM, (None, None, "higher_better")),
        (NCS, (None, None, "lower_better")),
        (NCS | {"ncs_measure": "sncv", "ncs_value": D("48.5")}, (None, None, "higher_better")),
    ],
)
def test_bounds_come_from_instrument_and_scoring(changes: dict[str, Any], bounds: tuple[Any, ...]) -> None:
    record = records.load(KIND, made(changes))
    assert tuple(record.get(name) for name in COPIED) == bounds


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "HD-0017/P2/T1/odi/w1"),
        (ROM | {"target_no": GONE}, "HD-0017/P2/gluteal-left/rom.hip.internal_rotation/w1"),
        (NCS, "HD-0017/P2/T1/ncs.dml/w1"),
        (scored("spadi", "48.5", subscale="pain"), "HD-0017/P2/T1/spadi.pain/w1"),
    ],
)
def test_the_business_key_tells_results_apart(changes: dict[str, Any], key: str) -> None:
    assert records.load(KIND, made(changes | {"business_key": GONE}))["business_key"] == key
