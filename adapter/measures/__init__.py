"""What is derived from records: percent reduction, responders, area under the curve, doses, headache days and the like.

Pure functions of validated records: the same records give the same values in the same order, whatever their order.
Numbers are exact (fractions inside; `exact.written` is the one published rounding), every value cites the records and
versions it rests on, and a value that cannot be had is undefined for a reason, never 0 or NaN.

    found = derive(records_of_a_subject, study)      # every Derived of one subject; nothing else decides what there is

A correction or retraction needs no rule of its own (V14): derive again, compare by key, void what vanished or is
undefined. Over the subjects of a study: `flow` and `guesses`.

    exact.py      fractions, and the rounding          baseline.py   which score is the baseline
    times.py      instants, calendar, partial dates    reduction.py  change, percent, responder, thresholds
    model.py      what a derived value is              course.py     area, mean, onset, lasting relief
    chart.py      a subject's current records          headache.py   migraine days, counts, responder
    schedule.py   time points, elapsed, windows        dose.py       milligrams, limits
    condition.py  chronic or not                       event.py      time to the onset of an adverse event
    trial.py      flow of participants, guesses

This room must not know FHIR, the store or the wire. Thresholds, limits and definitions are data
(mappings/measures.yaml).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapter.catalog import Catalog, standard

from .chart import Chart
from .condition import conditions
from .course import of_courses
from .dose import doses
from .event import events
from .exact import PLACES, written
from .headache import diary
from .model import REASONS, Derived, Input
from .reduction import against_baseline
from .schedule import elapsed
from .trial import flow, guesses


def derive(
    records: Iterable[dict[str, Any]], *studies: dict[str, Any], catalog: Catalog | None = None
) -> list[Derived]:
    """All derived values of one subject, by key.

    `records` are validated records of one subject, any versions in any order: of each only the newest counts.
    `studies` are the study records they name, for time points and windows; they may also be among the records.
    `catalog` is the one in use, else the project's own mappings. ValueError for records of several subjects.
    """
    chart = Chart(records, studies, catalog or standard())
    scored = [*elapsed(chart), *against_baseline(chart), *of_courses(chart)]
    found = [*scored, *diary(chart), *doses(chart), *conditions(chart), *events(chart)]
    return sorted(found, key=lambda one: one.key)


__all__ = ["PLACES", "REASONS", "Derived", "Input", "derive", "flow", "guesses", "written"]
