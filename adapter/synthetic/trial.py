"""The persons of the synthetic trial: who they are, how screening ends, and what becomes of them afterwards.

Each person's dice depend on seed and number only. Fates are dealt in rounds of twenty, so that every
course of events (screen failure of each kind, withdrawal, loss, switch, unblinding) occurs in any corpus
of twenty. It must not know what the treatments consist of (`treatment`) nor how visits go (`visits`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from . import curves, visits
from .enrolments import Case
from .person import SITES, Person, Record, Site, working_day
from .study import AGES, STUDY_ID

FIRST_DAY = datetime(2025, 1, 13)
RECRUITING_DAYS = 330
PLANNED = 42
FATES = (
    ("declined", "contraindicated", "lost_in_screening")
    + ("negative",) * 4
    + ("withdrawn", "lost", "switched", "unblinded", "mistaken")
    + ("followed",) * 8
)
SCREEN_FAILED = ("declined", "contraindicated", "lost_in_screening", "negative")


@dataclass
class Blocks:
    """Permuted blocks of four per site, so that arms stay 1:1 as subjects stream by."""

    seed: int
    open: dict[str, list[str]] = field(default_factory=dict)
    dealt: dict[str, int] = field(default_factory=dict)

    def next(self, site: Site) -> str:
        """The next arm at a site."""
        block = self.open.setdefault(site.site_id, [])
        if not block:
            number = self.dealt[site.site_id] = self.dealt.get(site.site_id, 0) + 1
            block += curves.ARMS * 2
            Random(f"{self.seed}/block/{site.site_id}/{number}").shuffle(block)
        return block.pop()


def fate_of(seed: int, number: int) -> str:
    """The course of events dealt to person `number` (from 1)."""
    return FATES[(7 * number + seed) % len(FATES)]


def randomised_so_far(seed: int, subjects: int) -> int:
    """How many of the first `subjects` persons are randomised, not counted beyond the planned number."""
    total = 0
    for number in range(1, min(subjects, 3 * PLANNED) + 1):
        total += fate_of(seed, number) not in SCREEN_FAILED
    return min(total, PLANNED)


def records(seed: int, subjects: int) -> Iterator[Record]:
    """All records of the trial's persons, person by person: subject, enrolment, procedures, outcomes."""
    blocks = Blocks(seed)
    for number in range(1, subjects + 1):
        dice = Random(f"{seed}/subject/{number}")
        site = dice.choices(SITES, (6, 2, 2))[0]
        person = Person(seed, f"HD{seed}-{number:04d}", site, dice, STUDY_ID.format(seed=seed))
        fate = fate_of(seed, number)
        day = working_day(FIRST_DAY + timedelta(days=(number - 1) * RECRUITING_DAYS // subjects))
        moment = day.replace(hour=8, minute=30) + timedelta(minutes=5 * dice.randrange(60))
        arm = "" if fate in SCREEN_FAILED else blocks.next(site)
        case = Case(person, moment, dice.choice(("left", "right")), fate, arm, number)
        yield _subject(case)
        yield from visits.records(case)


def _subject(case: Case) -> Record:
    """Who the person is: two coexisting conditions on one side, what was tried before."""
    person, dice, fate, side = case.person, case.person.dice, case.fate, case.side
    confirmed = bool(case.arm)
    began = case.screened - timedelta(days=dice.randint(150, 1600))
    months = (case.screened.year - began.year) * 12 + case.screened.month - began.month
    mark = side[0].upper()
    anticoagulant = "yes" if fate == "contraindicated" else dice.choices(("none", "stopped"), (9, 1))[0]
    body = {
        "site_id": person.site.site_id,
        "sex": dice.choices(("female", "male"), (3, 2))[0],
        "birth_year": case.screened.year - dice.randint(AGES[0] + 1, AGES[1] - 1),
        "weight_kg": Decimal(dice.randint(500, 1050)) / 10,
        "height_cm": Decimal(dice.randint(152, 194)),
        "allergies": ["lidocaine"] if case.lidocaine_allergy else ["none"],
        "anticoagulant": anticoagulant,
        "conditions": [
            {
                "condition_id": f"PS-{mark}",
                "condition_code": "piriformis_syndrome",
                "body_site": "gluteal",
                "laterality": side,
                "onset": began.strftime(dice.choice(("%Y", "%Y-%m", "%Y-%m-%d"))),
                "duration_months": Decimal(months),
                "diagnosis_basis": "diagnostic_injection" if confirmed else "clinical",
                "pain_component": dice.choice(("mixed", "neuropathic", "mixed", "unknown")),
                "symptoms": dice.choice((["tenderness"], ["tenderness", "tingling"], ["numbness"])),
                "aggravators": dice.choice((["sitting"], ["sitting", "movement"], ["sitting", "palpation"])),
                "coexists_with": f"GM-{mark}",
            },
            {
                "condition_id": f"GM-{mark}",
                "condition_code": "gluteus_maximus_mps",
                "body_site": "gluteal",
                "laterality": side,
                "diagnosis_basis": "clinical",
                "pain_component": "somatic",
                "symptoms": ["taut_band", "trigger_point"],
                "aggravators": ["palpation"],
                "coexists_with": f"PS-{mark}",
            },
        ],
        "prior_therapies": [
            {
                "therapy": "medication",
                "response": dice.choice(("none", "partial", "partial")),
                "period_start": began.strftime("%Y-%m"),
            },
            {
                "therapy": "physical_therapy",
                "response": dice.choice(("none", "partial")),
                "period_start": began.strftime("%Y"),
                "period_end": case.screened.strftime("%Y-%m"),
            },
        ][: dice.choice((1, 2, 2))],
    }
    revised = ("amended", "Weight measured again") if case.number % 13 == 6 else None
    return person.make("subject", "", case.screened + timedelta(hours=4), body, revised=revised)
