"""Counts over the subjects of a study: the flow of participants, and what is needed for a blinding index.

Both tell who is in which arm, so both are of class allocation. The flow is read from the enrolment records alone: a
state counts once reached (status_history), whatever other records there are [CONSORT].
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date

from . import times
from .chart import OUTCOMES, RETRACTED, Record, current
from .model import Derived, derived

AFTER_ELIGIBLE = ("eligible", "on_study", "on_intervention", "follow_up", "completed")
AFTER_START = ("on_intervention", "follow_up", "completed")
COUNTS: dict[str, tuple[str, ...]] = {
    "eligible": AFTER_ELIGIBLE,
    "received": AFTER_START,
    "lost": ("lost_to_follow_up",),
    "withdrawn": ("withdrawn",),
    "analysed": ("completed",),
}
UNIT = "{subjects}"


def flow(records: Iterable[Record], study_id: str) -> list[Derived]:
    """Participants of a study: screened, eligible, randomised, received, lost, withdrawn, analysed; in all, and by arm
    assigned from randomisation on. Analysed are those who completed; a unit that is randomised is counted as one.
    """
    entered = _live(one for one in records if one["kind"] == "enrolment" and one["study_id"] == study_id)
    found = []
    arms = sorted({one["assigned_arm"] for one in entered if "assigned_arm" in one})
    for arm in ("", *arms):
        own = [one for one in entered if not arm or one.get("assigned_arm") == arm]
        for name in ("screened", "eligible", "randomised", "received", "lost", "withdrawn", "analysed"):
            if arm and name in ("screened", "eligible"):
                continue  # nobody has an arm yet
            found.append(
                _row(f"flow_{name}", study_id, (arm,) if arm else (), [one for one in own if _is(one, name)], own)
            )
    return found


def _is(enrolment: Record, name: str) -> bool:
    """Whether a participant counts under a heading. Randomisation is no state: its time says that it took place."""
    if name == "screened":
        return True
    if name == "randomised":
        return "randomised_at" in enrolment
    return any(state["status"] in COUNTS[name] for state in enrolment["status_history"])


def guesses(records: Iterable[Record], study_id: str) -> list[Derived]:
    """How often each arm was guessed for those assigned to each arm, by role of the one who guessed: the last guess
    of a role about a participant counts. Participants without an arm, or in more than one, are left out.
    """
    known = list(records)
    arms: dict[str, set[str]] = {}
    entered = _live(one for one in known if one["kind"] == "enrolment" and one["study_id"] == study_id)
    for one in entered:
        if "assigned_arm" in one:
            arms.setdefault(one["subject_id"], set()).add(one["assigned_arm"])
    last: dict[tuple[str, str], Record] = {}
    told = _live(one for one in known if one["kind"] in OUTCOMES and one.get("study_id") == study_id)
    for one in sorted(told, key=_when):
        if "blind_guess" in one and len(arms.get(one["subject_id"], ())) == 1:
            last[one["subject_id"], one.get("assessor_role", "")] = one
    cells: dict[tuple[str, str, str], list[Record]] = {}
    for (subject, role), one in last.items():
        cells.setdefault((role, min(arms[subject]), one["blind_guess"]), []).append(one)
    return [_row("blinding_guess", study_id, cell, cells[cell], entered) for cell in sorted(cells)]


def _when(record: Record) -> tuple[date, str, str]:
    """For the order of guesses: the last date the time may mean, then the instant by UTC."""
    text = record.get("assessed_at")
    if text is None:
        return date.min, "", record["record_id"]
    exact = times.instant(text).astimezone(UTC).isoformat() if times.is_instant(text) else ""
    return times.span(text)[1], exact, record["record_id"]


def _live(records: Iterable[Record]) -> list[Record]:
    return [one for one in current(records) if one["record_status"] != RETRACTED]


def _row(formula: str, study_id: str, key: tuple[str, ...], counted: list[Record], among: list[Record]) -> Derived:
    """A number of records, and the enrolments it was counted among."""
    return derived(formula, (study_id, *key), len(counted), counted, weighed=among, unit=UNIT, study_id=study_id)
