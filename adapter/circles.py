"""The circles of a few subjects, read from the store; and the flags of what is kept in them.

Flags say what the rules find in the current versions: when a neighbour changes, those of the whole circle are looked at
again, and a version that is replaced takes its flags with it. What a changed study means for its subjects is looked at
with the next change of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from adapter import catalog, codec, records
from adapter.errors import Issue
from adapter.neighbours import OUTCOMES, WAIT, Circle, Record, flags
from adapter.report import Report
from adapter.store import DERIVED, Flag, Place, Store

Studies = dict[str, Record]


class Circles:
    """Reads circles, and keeps their flags."""

    def __init__(self, store: Store, report: Report) -> None:
        self._store, self._report = store, report

    def studies(self, found: Iterable[Record]) -> Studies:
        """The studies that these records name, as far as they are known."""
        studies: Studies = {}
        self._add(studies, found)
        return studies

    def _add(self, studies: Studies, found: Iterable[Record]) -> None:
        for study_id in {one["study_id"] for one in found if "study_id" in one} - studies.keys():
            stored = self._store.get_record("study", (study_id,))
            if stored is not None:
                studies[study_id] = codec.loads_wire(stored.body)

    def read(self, subjects: Mapping[str, Iterable[str]], studies: Studies) -> dict[str, Circle]:
        """The circle of each subject; ``subjects`` says which kinds of record have come. Where only outcomes have,
        those that are kept are not read, for no rule compares them with each other, unless an enrolment cites them."""
        whole = [subject for subject, kinds in subjects.items() if not set(kinds) <= set(OUTCOMES)]
        parts = [subject for subject in subjects if subject not in whole]
        circles = {subject: Circle(catalog.standard(), studies) for subject in subjects}
        self._fill(circles, whole)
        self._fill(circles, parts, without=OUTCOMES)
        self._fill(circles, [subject for subject in parts if _cites(circles[subject])])
        self._add(studies, (record for circle in circles.values() for _, record in circle.items()))
        return circles

    def _fill(self, circles: Mapping[str, Circle], subjects: Sequence[str], without: Sequence[str] = ()) -> None:
        for stored in self._store.subject_records(subjects, (*without, DERIVED)) if subjects else ():
            circles[stored.subject].put((stored.kind, stored.key), codec.loads_wire(stored.body))

    def flag(self, circles: Mapping[str, Circle], kept: Mapping[str, Sequence[Place]], strict: bool) -> None:
        """Look at what was kept in these circles, and at the rest of a circle that was read as a whole."""
        found: dict[Place, set[Flag]] = {}
        for subject, places in kept.items():
            narrow = {kind for kind, _ in places} <= set(OUTCOMES) and not _cites(circles[subject])
            for place, record in circles[subject].items():
                if places and (not narrow or place in places):
                    said = [one for one in flags(record, circles[subject]) if strict or one.outcome != WAIT]
                    issues = [*records.warnings(record), *(one.issue(record["record_id"]) for one in said)]
                    found[place] = {_flag(place, record, one) for one in issues}
        self._change(found, [subject for subject, places in kept.items() if places])

    def flag_study(self, place: Place, study: Record) -> None:
        """A study has no neighbours, but may be unusual by itself."""
        found = {_flag(place, study, one) for one in records.warnings(study)}
        self._change({place: found}, [""])

    def _change(self, found: Mapping[Place, set[Flag]], subjects: Sequence[str]) -> None:
        """Keep what is found now, and tell what is new."""
        if not found:
            return
        known = {one for one in self._store.flags(subjects) if (one.kind, one.key) in found}
        now = {one for flags_ in found.values() for one in flags_}
        self._store.change_flags(known - now, now - known)
        new: dict[str, list[Issue]] = {}
        for one in sorted(now - known, key=lambda flag: (flag.record_id, flag.rule, flag.field, flag.bound)):
            issue = Issue(one.record_id, one.field, one.rule, one.bound, message=one.message)
            new.setdefault(one.record_id, []).append(issue)
        for issues in new.values():
            self._report.flag(issues)


def _cites(circle: Circle) -> bool:
    """Whether an enrolment rests on scores."""
    return any("evidence_id" in one for each in circle.live("enrolment") for one in each.get("eligibility_results", ()))


def _flag(place: Place, record: Record, issue: Issue) -> Flag:
    return Flag(
        *place, record["version"], issue.rule, issue.field, issue.limit,
        record["record_id"], record.get("subject_id", "") if place[0] != "study" else "", issue.message,
    )  # fmt: skip


__all__ = ["Circles"]
