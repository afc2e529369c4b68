"""The chart of one subject: current records, sorted for what is derived from them.

Of each record only the newest version counts. What was entered in error is kept apart: it is used for nothing, but what
rested on it is voided with a reason (V14). A cancelled record counts for nothing at all. It must not calculate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from adapter.catalog import Catalog

from .exact import exact, written

Record = dict[str, Any]
OUTCOMES = ("pain_outcome", "function_outcome")
RETRACTED = "entered_in_error"
DONE = ("completed", "partial", "abandoned")
BEFORE = ("baseline", "screening")
RESULTS = {"value_deg": "deg", "ppt_value": "kPa"}  # results with a unit of their own; `score` has the instrument's
NCS_UNITS = {"sncv": "m/s", "dml": "ms"}
PLACE = ("body_site", "body_site_text", "laterality")
OF_PAIN = ("pain_context", "recall_period", "scale_min", "scale_max")
OF_FUNCTION = (
    *("domain", "scoring_version", "value_set_id", "subscale", "joint", "movement", "ncs_measure"),
    *("scale_min", "scale_max"),
)
MUST_MATCH = ("pain_context", "body_site", "laterality")  # V4, beside subject and instrument


@dataclass(frozen=True, eq=False)
class Score:
    """One outcome record: what it measures (`series`), when and against which procedure, and what came out."""

    record: Record
    series: tuple[Any, ...]
    value: Fraction | None
    unit: str
    direction: str | None
    retracted: bool

    @property
    def procedure_id(self) -> str | None:
        return self.record.get("anchor_procedure_id")

    @property
    def code(self) -> str | None:
        """The planned time point."""
        return self.record.get("timepoint_code")

    @property
    def time(self) -> str | None:
        return self.record.get("assessed_at")

    @property
    def target(self) -> int | None:
        return self.record.get("target_no")

    @property
    def comparable(self) -> bool:
        """Whether all that must be the same for a comparison is known (V4)."""
        return self.record["kind"] != "pain_outcome" or all(name in self.record for name in MUST_MATCH)

    @property
    def group(self) -> tuple[str, ...]:
        """What the score is one point of, as text: procedure, target, instrument, and all that must not be mixed."""
        parts = (self.procedure_id, self.target, *self.series)
        return tuple("" if one is None else str(written(one) if isinstance(one, Decimal) else one) for one in parts)

    def about(self) -> dict[str, str]:
        """Labels for readers: what was measured, and where."""
        names = ("instrument", "pain_context", "domain", "subscale", "body_site", "laterality", "target_no")
        return {name: str(self.record[name]) for name in names if name in self.record}


def current(records: Iterable[Record]) -> list[Record]:
    """The newest version of each record, by record id; cancelled ones are left out."""
    newest: dict[str, Record] = {}
    for record in records:
        former = newest.get(record["record_id"])
        if former is None or former["version"] < record["version"]:
            newest[record["record_id"]] = record
    found = [newest[record_id] for record_id in sorted(newest)]
    return [one for one in found if one["record_status"] != "cancelled"]


class Chart:
    """Current records of one subject, and the studies they belong to. ValueError when there are several subjects."""

    def __init__(self, records: Iterable[Record], studies: Iterable[Record], catalog: Catalog) -> None:
        used = current([*records, *studies])
        live = [one for one in used if one["record_status"] != RETRACTED]
        self.catalog = catalog
        self.studies = {one["study_id"]: one for one in live if one["kind"] == "study"}
        self.live = [one for one in live if one["kind"] != "study"]
        self.withdrawn = [one for one in used if one["record_status"] == RETRACTED and one["kind"] != "study"]
        if len({one["subject_id"] for one in (*self.live, *self.withdrawn)}) > 1:
            raise ValueError("records of several subjects")
        self.procedures = _by_key(self.live)
        self.void_procedures = {k: one for k, one in _by_key(self.withdrawn).items() if k not in self.procedures}
        outcomes = [one for one in (*self.live, *self.withdrawn) if one["kind"] in OUTCOMES]
        self.scores = [self._score(one) for one in outcomes]

    def of_kind(self, kind: str) -> list[Record]:
        """Live records of a kind, by record id."""
        return [one for one in self.live if one["kind"] == kind]

    def performed(self, procedure_id: str | None) -> Record | None:
        """The procedure, if it is known and was performed at least in part."""
        found = self.procedures.get(procedure_id or "")
        return found if found is not None and found["performed_status"] in DONE else None

    def followups(self) -> list[Score]:
        """Scores that are compared with a baseline, retracted ones among them."""
        return [one for one in self.scores if one.code not in BEFORE]

    def groups(self) -> dict[tuple[str, ...], list[Score]]:
        """Follow-up scores of pain by what they are points of; not of a diagnostic injection."""
        found: dict[tuple[str, ...], list[Score]] = {}
        for score in self.followups():
            known = score.procedure_id is not None and score.code is not None
            if known and score.record["kind"] == "pain_outcome":
                found.setdefault(score.group, []).append(score)
        return {key: found[key] for key in sorted(found) if not self._diagnostic(found[key][0].procedure_id)}

    def _diagnostic(self, procedure_id: str | None) -> bool:
        known = self.procedures.get(procedure_id or "") or self.void_procedures.get(procedure_id or "")
        return known is not None and known.get("purpose") == "diagnostic"

    def _score(self, record: Record) -> Score:
        tool = self.catalog.instruments[record["instrument"]]
        names = (*OF_PAIN, *PLACE) if record["kind"] == "pain_outcome" else (*OF_FUNCTION, *PLACE)
        series = (record["kind"], record["instrument"], *(record.get(name) for name in names))
        result, unit = _result(record, tool.unit)
        return Score(
            record,
            (*series, record.get("site_relation", "treated")),
            result,
            unit,
            record.get("direction", tool.direction),
            record["record_status"] == RETRACTED,
        )


def _by_key(records: list[Record]) -> dict[str, Record]:
    return {one["procedure_id"]: one for one in reversed(records) if one["kind"] == "procedure"}


def _result(record: Record, unit: str) -> tuple[Fraction | None, str]:
    """The number that was collected, if there is one, and its UCUM unit."""
    if record["score_status"] != "collected":
        return None, unit
    for name, own in RESULTS.items():
        if name in record:
            return exact(record[name]), own
    if "ncs_value" in record:
        return exact(record["ncs_value"]), NCS_UNITS[record["ncs_measure"]]
    return (exact(record["score"]), unit) if "score" in record else (None, unit)
