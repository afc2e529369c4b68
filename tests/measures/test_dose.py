"""Doses: exact milligrams, sums with the skin, limits, and what is not stated."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter import records
from adapter.measures import derive
from tests.measures.story import Record, Story, of, one

STORY = Story("HD-0060", study=None)


def part(
    agent: str, value: str | None, ml: str | None, unit: str = "percent_wv", kind: str = "local_anaesthetic"
) -> Record:
    told: Record = {"agent_class": kind, "agent": agent, "conc_unit": unit}
    return told | {"conc_value": value and Decimal(value), "volume_ml": ml and Decimal(ml)}


def session(*parts: Record, weight: str | None = None, **changes: Any) -> list[Any]:
    """Values of one session; parts lose what is None, with a reason."""
    absent = {
        f"injectate_components.{n}.{k}": "not_in_source" for n, p in enumerate(parts, 1) for k in p if p[k] is None
    }
    told = [{k: v for k, v in p.items() if v is not None and (k != "conc_unit" or p["conc_value"])} for p in parts]
    absent = {k: v for k, v in absent.items() if not k.endswith("conc_unit")}
    volumes = [p.get("volume_ml") for p in told]
    total = {"injectate_total_ml": sum(volumes)} if None not in volumes and told else {"injectate_total_ml": None}
    if total["injectate_total_ml"] is None:
        absent["injectate_total_ml"] = "not_in_source"
    target = {k: v for k, v in records.example("procedure")["targets"][0].items() if k != "volume_ml"}
    if total["injectate_total_ml"] is not None:
        target["volume_ml"] = total["injectate_total_ml"]
    act = STORY.procedure(
        "P1", "2026-05-05T13:00:00+03:00",
        **total | {"injectate_components": told or None, "targets": [target]} | {"field_absent_reason": absent or None} | changes,
    )  # fmt: skip
    subject = STORY.make("subject", "s", {"weight_kg": weight and Decimal(weight)})
    return derive([subject, act])


SALINE = part("sodium_chloride", "0.9", "2.5", kind="saline")
STEROID = part("triamcinolone", "40", "0.5", "mg_per_ml", "corticosteroid")


def test_s12_doses_are_exact_and_the_limit_is_261() -> None:
    found = session(part("lidocaine", "1", "2"), STEROID, SALINE, weight="58")
    told = {x.labels["agent"]: x.value for x in of(found, "dose_mg")}
    assert told == {"lidocaine": 20, "triamcinolone": 20, "sodium_chloride": Decimal("22.5")}
    assert one(found, "la_total_mg").value == 20
    assert one(found, "la_over_limit-lidocaine-plain").value is False


@pytest.mark.parametrize(("ml", "over"), [("26.1", False), ("26.2", True)])
def test_the_limit_by_weight_may_be_reached(ml: str, over: bool) -> None:
    assert one(session(part("lidocaine", "1", ml), weight="58"), "la_over_limit-lidocaine-plain").value is over


@pytest.mark.parametrize(("ml", "weight", "told"), [
    ("30.0", "120", False), ("30.1", "120", True), ("30.1", None, True), ("10", None, "weight_missing"),
])  # fmt: skip
def test_the_limit_in_all_needs_no_weight(ml: str, weight: str | None, told: Any) -> None:
    found = one(session(part("lidocaine", "1", ml), weight=weight), "la_over_limit-lidocaine-plain")
    assert (found.value if found.undefined is None else found.undefined) == told


def test_the_skin_counts() -> None:
    skin = part("lidocaine", "2", "1")
    found = session(part("lidocaine", "1", "25.0"), weight="58", skin_anaesthetic=skin)
    assert one(found, "la_total_mg").value == 270
    assert one(found, "la_over_limit-lidocaine-plain").value is True
    assert {x.labels["component"] for x in of(found, "dose_mg")} == {"injectate_components.1", "skin_anaesthetic"}


def test_other_anaesthetics_count_in_the_sum_and_not_against_this_limit() -> None:
    found = session(part("bupivacaine", "0.25", "4"), part("lidocaine", "1", "1"), weight="58")
    assert one(found, "la_total_mg").value == 20
    assert one(found, "la_over_limit-lidocaine-plain").value is False


def test_what_is_not_stated_is_not_nothing() -> None:
    found = session(part("unspecified", None, "2"), part("lidocaine", "1", "1"), weight="58")
    assert one(found, "dose_mg", agent="unspecified").undefined == "strength_missing"
    assert one(found, "la_total_mg").undefined == "strength_missing"
    assert one(found, "la_over_limit-lidocaine-plain").undefined == "strength_missing", "it may be lidocaine too"
    found = session(part("lidocaine", "1", None), weight="58")
    assert {x.undefined for x in found if x.procedure_id and x.formula != "elapsed"} == {"volume_missing"}


def test_an_injectate_that_nobody_states_may_hold_an_anaesthetic() -> None:
    found = session(weight="58", injectate_stated=False, skin_anaesthetic=part("lidocaine", "1", "1"),
                    field_absent_reason={"injectate_components": "not_in_source", "injectate_total_ml": "not_in_source"})  # fmt: skip
    assert one(found, "dose_mg").value == 10
    assert one(found, "la_total_mg").undefined == "injectate_not_stated"


def test_a_session_not_done_has_no_doses() -> None:
    act = STORY.procedure("P1", "2026-05-05T13:00:00+03:00")
    planned = {k: v for k, v in act.items() if k != "ended_at"} | {"performed_status": "planned"}
    assert of(derive([act]), "dose_mg")
    assert of(derive([planned]), "dose_mg") == []
