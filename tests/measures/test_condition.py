"""Chronic conditions: by the stated duration alone, with the limit itself counted in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.measures import Input, derive
from tests.measures.story import Record, Story, of, one

STORY = Story("HD-0090", study=None)


def subject(*conditions: dict[str, Any], **changes: Any) -> Record:
    place = {"condition_code": "low_back_pain", "body_site": "low_back", "laterality": "midline"}
    told = [place | {"condition_id": f"C{n}"} | one for n, one in enumerate(conditions, 1)]
    return STORY.make("subject", "1", {"conditions": told} | changes)


@pytest.mark.parametrize(
    ("months", "expected"),
    [("0", False), ("2.9", False), ("2.999999", False), ("3", True), ("3.0", True), ("720", True)],
)
def test_three_months_are_enough(months: str, expected: bool) -> None:
    record = subject({"duration_months": Decimal(months)})
    found = one(derive([record]), "chronic-3mo")
    assert (found.value, found.undefined) == (expected, None)
    assert found.inputs == (Input(record["record_id"], 1),)
    assert found.labels == {"condition_id": "C1", "condition_code": "low_back_pain"}


def test_an_onset_gives_no_duration() -> None:
    found = one(derive([subject({"onset": "2010"})]), "chronic-3mo")
    assert (found.value, found.undefined) == (None, "duration_missing")


def test_each_condition_for_itself() -> None:
    found = derive([subject({"duration_months": Decimal("1")}, {"duration_months": Decimal("12")})])
    assert {x.labels["condition_id"]: x.value for x in of(found, "chronic-3mo")} == {"C1": False, "C2": True}


def test_nothing_of_a_retracted_subject() -> None:
    assert derive([subject({"duration_months": Decimal("12")}, record_status="entered_in_error")]) == []
