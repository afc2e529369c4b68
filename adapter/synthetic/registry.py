"""Registry patients in no study, like those of documents 000 to 002: one of ten stories each, in turn.

It only deals out stories; what happens in them stands in the modules it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

from . import headache, muscles, nerves_arm, nerves_back
from .person import SITES, Person, Record

Story = Callable[[Person, datetime], list[Record]]
STORIES: tuple[tuple[Story, int], ...] = (  # with the site (index) it is set at, -1 for any
    (nerves_back.dorsal_scapular, 0),
    (nerves_arm.carpal_tunnel, -1),
    (muscles.hamstring, -1),
    (headache.migraine, 1),
    (muscles.chart_review, -1),
    (nerves_back.cluneal, -1),
    (nerves_arm.cubital_tunnel, 2),
    (headache.tension_type, 2),
    (muscles.regions, -1),
    (muscles.unusual, -1),
)
FIRST_DAY = datetime(2025, 2, 3)


def records(seed: int, patients: int) -> Iterator[Record]:
    """All records of the registry patients: subject, procedures, outcomes, patient by patient."""
    for number in range(1, patients + 1):
        dice = Random(f"{seed}/registry/{number}")
        story, place = STORIES[(number - 1) % len(STORIES)]
        site = SITES[place] if place >= 0 else dice.choice(SITES)
        person = Person(seed, f"HR{seed}-{number:04d}", site, dice)
        yield from story(person, FIRST_DAY + timedelta(days=dice.randrange(240)))
