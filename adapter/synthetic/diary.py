"""Made-up headache diaries: 28 days before and 28 after a session, day by day, with some days forgotten.

It must not know the session that the days stand around.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from .function import dice_of
from .person import Person, Record

DAYS = 28
_FEATURES = ("unilateral", "pulsating", "moderate_severe", "worse_activity")


def around(person: Person, before: datetime, after: datetime, migraine: bool, share: float) -> list[Record]:
    """A diary whose last day is `before`, and one whose first day is `after`, with fewer headaches: days, periods."""
    dice = dice_of(person, "diary")
    first = _month(person, dice, before - timedelta(days=DAYS - 1), migraine, share)
    return [*first, *_month(person, dice, after, migraine, share * dice.uniform(0.35, 0.7))]


def _month(person: Person, dice: Random, start: datetime, migraine: bool, share: float) -> list[Record]:
    """The days that were entered, and the period they make."""
    days: list[Record] = []
    attack = 0
    for number in range(DAYS):
        day = start + timedelta(days=number)
        goes_on = attack > 0 and dice.random() < 0.4
        hurts = goes_on or dice.random() < share
        attack = (attack if goes_on else number + 1) if hurts else 0
        if dice.random() < 0.06 and number - len(days) < 4:
            continue  # forgotten
        key = f"{day:%y%j}-{attack}" if hurts else ""
        days.append(_day(person, dice, day, migraine, key))
    body: Record = {
        "start": f"{start:%Y-%m-%d}",
        "days_planned": DAYS,
        "days_recorded": len(days),
        "days": [day["record_id"] for day in days],
    }
    over = start + timedelta(days=DAYS + 1, hours=9)
    revised = ("amended", "A day was found in the paper diary") if dice.random() < 0.5 else None
    return [*days, person.make("headache_period", f"period.{start:%Y%m%d}", over, body, revised=revised)]


def _day(person: Person, dice: Random, day: datetime, migraine: bool, attack: str) -> Record:
    """One day; a headache has its length and severity, but for a few entries that leave the length open."""
    late = dice.choices((0, 1), (7, 1))[0]
    entered = day.replace(hour=20, minute=0) + timedelta(days=late, minutes=dice.randrange(150))
    body: Record = {
        "diary_date": f"{day:%Y-%m-%d}",
        "entered_at": person.at(entered),
        "headache": bool(attack),
    }
    absent = None
    if attack:
        worst = dice.randint(4, 9) if migraine else dice.randint(2, 6)
        body |= {"peak_severity": worst, "severity_scale": "nrs_0_10", "attack_id": attack}
        if dice.random() < 0.06:
            absent = {"duration_h": "unknown"}
        else:
            body["duration_h"] = Decimal(dice.randint(2, 30)) / 2
        if migraine:
            body["features"] = dice.sample(_FEATURES, dice.randint(2, 3))
            body["symptoms"] = dice.choice((["nausea"], ["photophobia", "phonophobia"], ["nausea", "vomiting"]))
            if dice.random() < 0.2:
                body["aura_min"] = dice.randint(5, 45)
        taken = dice.choices(("", "nsaid", "triptan" if migraine else "nsaid", "other"), (4, 4, 4, 1))[0]
        if taken:
            body["acute_meds"] = [taken]
        if taken == "other":
            body["acute_meds_text"] = "paracetamol"
    revised = ("corrected", "Entered for the wrong day") if dice.random() < 0.02 else None
    recorded = entered + timedelta(minutes=1, days=7 if revised else 0)
    return person.make("headache_day", f"day.{day:%Y%m%d}", recorded, body, absent=absent, revised=revised)
