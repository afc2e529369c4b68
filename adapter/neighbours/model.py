"""What a rule between records finds, and the circle of records that it looks at.

A circle is one subject: its records as they stand now, the one being judged among them, and the studies that they name.
It must not know the store, nor what becomes of a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from adapter.catalog import Catalog
from adapter.errors import Issue
from adapter.measures.chart import Chart, Score

Record = dict[str, Any]
Place = tuple[str, str]
"""Kind, and what stays the same over the versions of a record."""

REFUSE, FLAG, WAIT = "E", "W", "Q"
RETRACTED = ("entered_in_error", "cancelled")
OUTCOMES = ("pain_outcome", "function_outcome", "headache_day", "headache_period")
DONE = ("completed", "partial", "abandoned")


class Name(NamedTuple):
    """What a record is waited for by: kind and key (an enrolment by study and subject, whatever its unit)."""

    kind: str
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule broken: outcome E (refuse), W (accept with a flag) or Q (quarantine until `waits` comes).

    `field` is a path as in errors, items counted from 1; `limit` the bound, never a value.
    """

    rule: str
    outcome: str
    field: str
    limit: str = ""
    message: str = ""
    waits: Name | None = None

    def issue(self, record_id: str) -> Issue:
        """The finding as an issue of a record."""
        return Issue(record_id, self.field, self.rule, self.limit, message=self.message)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id in the domain model, the kinds it judges (none: all that have a subject), and what judges.

    `only_flags`: it never refuses or holds back, so it is asked only once a record is accepted.
    """

    name: str
    kinds: tuple[str, ...]
    judge: Callable[[Record, Circle], Iterator[Finding]]
    only_flags: bool = False


class Circle:
    """The records of one subject by place, and studies by study_id.

    ``studies`` is looked at, not copied: a study that comes later is seen.
    """

    def __init__(self, catalog: Catalog, studies: Mapping[str, Record] | None = None) -> None:
        self.catalog = catalog
        self.studies: Mapping[str, Record] = {} if studies is None else studies
        self._records: dict[Place, Record] = {}

    def put(self, place: Place, record: Record | None) -> Record | None:
        """Let a record stand at its place (None: nothing stands there), and give back what stood there before."""
        former = self._records.get(place)
        if record is None:
            self._records.pop(place, None)
        else:
            self._records[place] = record
        for name in ("_by_kind", "chart", "scores"):
            self.__dict__.pop(name, None)
        return former

    def items(self) -> Iterable[tuple[Place, Record]]:
        """Place and record, all of them."""
        return self._records.items()

    @cached_property
    def _by_kind(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for record in self._records.values():
            found.setdefault(record["kind"], []).append(record)
        return found

    def known(self, kind: str) -> list[Record]:
        """All records of a kind, retracted ones among them: what they are called is known."""
        return self._by_kind.get(kind, [])

    def live(self, kind: str) -> list[Record]:
        """Records of a kind that count."""
        return [one for one in self.known(kind) if one["record_status"] not in RETRACTED]

    def others(self, record: Record) -> list[Record]:
        """Live records of the kind of this one, without it."""
        return [one for one in self.live(record["kind"]) if one is not record]

    @property
    def subject(self) -> Record | None:
        return next(iter(self.known("subject")), None)

    def condition(self, condition_id: str | None) -> Record | None:
        """One of the conditions of the subject."""
        conditions = (self.subject or {}).get("conditions", ())
        return next((one for one in conditions if one["condition_id"] == condition_id), None)

    def procedure(self, procedure_id: str | None) -> Record | None:
        return next((one for one in self.known("procedure") if one["procedure_id"] == procedure_id), None)

    def enrolments(self, study_id: str | None) -> list[Record]:
        """Live enrolments in a study: one, or one a unit."""
        return [one for one in self.live("enrolment") if one["study_id"] == study_id]

    @cached_property
    def chart(self) -> Chart:
        """The circle as the measures see it."""
        named = {record.get("study_id") for record in self._records.values()}
        studies = [study for study_id, study in self.studies.items() if study_id in named]
        return Chart(self._records.values(), studies, self.catalog)

    @cached_property
    def scores(self) -> dict[str, Score]:
        """Scores of the chart by record id."""
        return {score.record["record_id"]: score for score in self.chart.scores}


def study_of(record: Record, circle: Circle) -> str | None:
    """The study a record belongs to: its own, else that of the procedure that it speaks of."""
    if "study_id" in record:
        return str(record["study_id"])
    procedure = circle.procedure(anchor(record))
    return None if procedure is None else procedure.get("study_id")


def anchor(record: Record) -> str | None:
    """The procedure that a record speaks of."""
    return record.get("anchor_procedure_id", record.get("procedure_id"))
