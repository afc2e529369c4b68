"""Made-up results of function: questionnaires with their items, movements, thresholds, conduction.

They follow the pain of the same visit, with dice of their own, so that pain scores stay what they are. It must not know
which story is told beyond the trial's visits.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

from adapter.records.derive import standard_offset
from adapter.records.lists import instruments

from .enrolments import Case
from .person import NOT_TAKEN, Person, Record

DOMAINS = {
    "pgic": "global_change",
    "satisfaction": "satisfaction",
    "hit6": "quality_of_life",
    "eq5d5l_index": "quality_of_life",
    "eq5d_vas": "quality_of_life",
    "rom": "rom",
    "ppt": "pain_sensitivity",
    "ncs": "nerve_function",
    "lefs": "mobility",
}
VALUE_SETS = {"TR-IST-01": "TR-2022", "US-NYC-01": "US-2017", "DE-BER-01": "DE-2018"}


def dice_of(person: Person, what: str) -> Random:
    """Dice for one purpose and person, apart from those that the pain scores use."""
    return Random(f"{person.source}/{person.subject_id}/{what}")


def result(
    person: Person,
    anchor: str,
    timepoint: str,
    when: datetime,
    instrument: str,
    value: Decimal | None,
    *,
    place: tuple[str, str] | None = None,
    missing: str = "",
    absent: dict[str, str] | None = None,
    revised: tuple[str, str] | None = None,
    **more: Any,
) -> Record:
    """One result, or with `missing` the statement that none was taken at its planned time `when`."""
    tool = instruments()[instrument].of(more)
    body: Record = {
        "anchor_procedure_id": anchor,
        "timepoint_code": timepoint,
        "nominal_offset": standard_offset(timepoint),
        "instrument": instrument,
        "direction": tool.direction,
        "domain": DOMAINS.get(instrument, "adl"),
        "assessor_id": person.subject_id,
        "assessor_role": "self_report",
        "assessor_blinded": False,
        "mode": "paper",
    }
    if tool.value == "score":
        body |= {"scale_min": tool.min, "scale_max": tool.max}
    else:
        body |= {"assessor_id": "AS1", "assessor_role": "first_assessor", "mode": "in_person"}
    if place is not None:
        body |= {"body_site": place[0], "laterality": place[1], "site_relation": "treated"}
    body |= more
    recorded = when + timedelta(minutes=25, days=3 if revised else 0)
    if missing:
        body |= {"score_status": "not_done", "missing_reason": missing}
        absent, recorded = dict.fromkeys(NOT_TAKEN, "not_done"), when + timedelta(days=14)
    else:
        body |= {"score_status": "collected", "assessed_at": person.at(when), tool.value: value}
    for name in absent or ():
        body.pop(name, None)
    which = (more.get("subscale"), more.get("joint"), more.get("ncs_measure"), more.get("scoring_version"))
    side = place[1] if place and tool.value != "score" else None
    local_id = ".".join((anchor, *(part for part in (side, instrument, *which) if part), timepoint))
    return person.make("function_outcome", local_id, recorded, body, absent=absent, revised=revised)


def answered(dice: Random, instrument: str, share: float, **more: Any) -> Record:
    """Item scores at about this share of the greatest burden (or, where higher is better, of the ability), and the
    total they make: fields for `result`."""
    tool = instruments()[instrument].of(more)
    assert tool.items is not None
    low, high = tool.items.min, tool.items.max
    found: list[Decimal] = []
    for _ in range(tool.items.count):
        wish = float(low) + float(high - low) * min(1.0, max(0.0, share + dice.gauss(0, 0.15)))
        choices = tool.items.scores or tuple(low + n for n in range(int(high - low) + 1))
        found.append(min(choices, key=lambda each, wish=wish: abs(float(each) - wish)))  # type: ignore[misc]
    total, count = sum(found, Decimal(0)), len(found)
    if tool.total == "mean":
        total = (total / count).quantize(Decimal("0.01"), ROUND_HALF_UP)
    elif tool.total == "percent":
        total = (100 * (total - count * low) / (count * (high - low))).quantize(Decimal("0.1"), ROUND_HALF_UP)
    items = [{"item_no": n, "score": score} for n, score in enumerate(found, 1)]
    return more | {"value": total, "item_scores": items}


def trial(case: Case, planned: dict[str, datetime], pain: list[Record]) -> list[Record]:
    """Disability at the main visits of a trial person, impression of change later, for some also examinations."""
    person, dice = case.person, dice_of(case.person, "function")
    valid = [s for s in pain if s["pain_context"] == "movement" and s["record_status"] != "entered_in_error"]
    moving = {score["timepoint_code"]: score for score in valid}
    examined, asked = dice.random() < 0.35, dice.random() < 0.3
    before = float(moving["baseline"]["score"])
    found: list[Record] = []
    for code in ("baseline", "m1", "m3"):
        when, score = planned[code], moving.get(code, {})
        if "score" not in score:
            missing = score.get("missing_reason", "unknown")
            found.append(result(person, "P2", code, when, "odi", None, place=case.place, missing=missing))
            continue
        now = float(score["score"])
        more: Record = {"place": case.place, "target_no": 1}
        if code == "m1" and dice.random() < 0.1:
            more["revised"] = ("corrected", "Item 4 misread")
        if code == "m3":
            more |= {"rescue_since_last": case.fate == "switched", "blind_guess": dice.choice(("A1", "A2", "unsure"))}
        found.append(result(person, "P2", code, when, "odi", **answered(dice, "odi", 0.08 * now), **more))
        if code != "baseline":
            change = Decimal(min(7, max(1, round(4 - 4 * (before - now) / max(before, 1.0)))))
            found.append(result(person, "P2", code, when, "pgic", change))
        if examined:
            found += _examined(case, dice, code, when, now)
        if asked:
            index = (Decimal(98) - Decimal(round(6.2 * now)) - dice.randint(0, 4)) / 100
            known: Record = {"value_set_id": VALUE_SETS[person.site.site_id]} if code != "m1" else {}
            absent = None if known else {"value_set_id": "not_in_source"}
            found.append(result(person, "P2", code, when, "eq5d5l_index", index, absent=absent, **known))
    return found


def _examined(case: Case, dice: Random, code: str, when: datetime, now: float) -> list[Record]:
    """Rotation of the hip, and the pressure that hurts, read in kg/cm2 and given in kPa."""
    hip = ("hip", case.side)
    angle = Decimal(round(38 - 2.2 * now) + dice.randint(-3, 3))
    told: Record = {"joint": "hip", "movement": "internal_rotation", "assessor_blinded": True}
    read = (Decimal(46 - round(3 * now)) + dice.randint(-3, 3)) / 10
    factor = instruments()["ppt"].sources["kg_per_cm2"].factor
    pressed: Record = {"ppt_source_value": read, "ppt_source_unit": "kg_per_cm2", "assessor_blinded": True}
    return [
        result(case.person, "P2", code, when, "rom", angle, place=hip, **told),
        result(case.person, "P2", code, when, "ppt", read * factor, place=case.place, **pressed),
    ]
