"""The second pass over a subject's records (decisions 19): what follows from them, kept as records that travel.

For every subject that is due: derive, compare with what was derived before, put what differs. A new value is version 1;
one whose inputs have changed is amended; one that an input was retracted of, or that follows from nothing any more,
loses its value and is entered in error (V14); what is the same is left alone. So it can be broken off and repeated at
any point. Must not calculate, nor know FHIR or the wire.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from adapter import catalog, codec, measures, records
from adapter.errors import RecordRefused
from adapter.measures import Derived, Input
from adapter.records.derive import record_id
from adapter.records.derived_measure import OBSERVED, VALUES
from adapter.report import Report
from adapter.store import Due, Put, Store, Stored

Record = dict[str, Any]
SOURCE = "hydrofhir"
"""The source system of what was derived here; what another project derived is none of ours."""
SUBJECTS = 20
"""How many subjects are in memory at a time, with all their records."""

VOID, RETRACTED, VANISHED = "entered_in_error", "input_retracted", "no_longer_derived"
HISTORY = ("version", "supersedes_version", "record_status", "recorded_at", "change_reason", "idempotency_key")
WHY = {RETRACTED: "an input was retracted", VANISHED: "no longer derived", "": "derived again from changed records"}
KEYS = {"procedure": "procedure_id", "adverse_event": "ae_id"}

# What labels become. `gaps` is left out: missing_timepoints names them. `component` is split, see `_labels`.
WORDS = (
    *("instrument", "pain_context", "domain", "subscale", "body_site", "laterality", "counted_from", "window"),
    *("baseline_timepoint", "baseline_procedure_id", "agent", "agent_class", "condition_id", "condition_code"),
)
PLACES = {"injectate_components": "injectate", "skin_anaesthetic": "skin-anaesthetic"}
NUMBERS = ("target_no", "days_recorded", "days_planned")


def bring_up_to_date(store: Store, report: Report, subjects: Collection[str] | None = None) -> Report:
    """Derive for all subjects that are due, or for those of ``subjects`` (subject_id) that are. With other thresholds,
    definitions or formulas than the last time everybody is.

    Counts: derived and, of these, undefined, as they stand now; derived_new, derived_changed and derived_voided: what
    was put.
    """
    store.derived_by(_formulas())
    chunks = _all(store) if subjects is None else _some(store, sorted(subjects))
    studies: dict[str, Record | None] = {}
    for due in chunks:
        batch: list[Put] = []
        stored = store.subject_records([one.subject for one in due])
        for _, of_subject in groupby(stored, key=lambda one: one.subject):
            batch += _of_subject(store, list(of_subject), studies, report)
        store.putting().put_derived(batch, due)
    return report.done()


def _formulas() -> str:
    """A digest of what values rest on beside records: where it changes, all are derived again."""
    found = catalog.standard()
    return hashlib.sha256(repr((found.measures, found.instruments, found.lists["measure"])).encode()).hexdigest()


def _all(store: Store) -> Iterator[list[Due]]:
    last = ""
    while found := store.due(last, SUBJECTS):
        yield found
        last = found[-1].subject


def _some(store: Store, subjects: list[str]) -> Iterator[list[Due]]:
    for start in range(0, len(subjects), SUBJECTS):
        if found := store.due_of(subjects[start : start + SUBJECTS]):
            yield found


def _of_subject(store: Store, stored: list[Stored], studies: dict[str, Record | None], report: Report) -> list[Put]:
    """What has to be put for one subject."""
    everything = [codec.loads_wire(one.body) for one in stored]  # our own bytes: no need to be strict
    own = [one for one in everything if one["kind"] != records.DERIVED]
    former = {
        one["record_id"]: one for one in everything if one["kind"] == records.DERIVED and one["source_system"] == SOURCE
    }
    for study_id in {one["study_id"] for one in own if "study_id" in one} - studies.keys():
        study = store.get_record("study", (study_id,))
        studies[study_id] = None if study is None else codec.loads_wire(study.body)
    named = {one.get("study_id", "") for one in own}
    plans = [study for study_id, study in studies.items() if study is not None and study_id in named]
    found = measures.derive(own, *plans)
    report.add(derived=len(found), undefined=sum(one.undefined is not None for one in found))
    out: list[Put] = []
    for raw in _versions(found, own, former):
        try:
            record = records.load(records.DERIVED, raw)
        except RecordRefused as refused:
            report.refuse(refused.issues)
            continue
        new, void = record["version"] == 1, record["record_status"] == VOID
        report.add(**{"derived_new" if new else "derived_voided" if void else "derived_changed": 1})
        body = codec.dumps(record)
        out.append((records.DERIVED, records.key(record), record, body, hashlib.sha256(body).hexdigest()))
    return out


def _versions(found: Iterable[Derived], own: list[Record], former: Mapping[str, Record]) -> Iterator[Record]:
    """The next version of every value that is not what it was."""
    cited = {one["record_id"]: one for one in own}
    seen: set[str] = set()
    for one in found:
        content = _content(one, own, cited)
        had = former.get(content["record_id"])
        seen.add(content["record_id"])
        status = VOID if one.undefined == RETRACTED else "draft" if one.preliminary else "final"
        if had is None:
            if status != VOID:  # where nothing was derived, there is nothing to take back
                yield content | _history(content, None, status, "")
        elif _status(had) != status or _without_history(had) != content:
            yield content | _history(content, had, status, RETRACTED if status == VOID else "")
    for name, had in former.items():
        if name not in seen and had["record_status"] != VOID:
            why = RETRACTED if _rests_on_retracted(had, own) else VANISHED
            content = {n: value for n, value in _without_history(had).items() if n not in (*VALUES, "value_unit")}
            yield content | {"undefined": why} | _history(content, had, VOID, why)


def _status(had: Record) -> str:
    return "final" if had["record_status"] in ("amended", "corrected") else str(had["record_status"])


def _without_history(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in HISTORY}


def _history(content: Record, had: Record | None, status: str, why: str) -> Record:
    """RecordMeta of the next version: its number, its state, when, and why."""
    now = datetime.now(ZoneInfo(content["site_timezone"])).isoformat(timespec="seconds")
    if had is None:
        return {"version": 1, "record_status": status, "recorded_at": now}
    return {
        "version": had["version"] + 1,
        "supersedes_version": had["version"],
        "record_status": "amended" if status == "final" else status,
        "recorded_at": now,
        "change_reason": WHY[why],
    }


def _rests_on_retracted(had: Record, own: list[Record]) -> bool:
    """Whether a record that a value was derived from has been retracted since."""
    named = {one["record_id"] for one in (*had.get("inputs", ()), *had.get("basis", ()))}
    gone = [one for one in own if one["record_status"] == VOID]
    procedures = {one["procedure_id"] for one in gone if one["kind"] == "procedure"}
    return had.get("procedure_id") in procedures or any(one["record_id"] in named for one in gone)


def _content(one: Derived, own: list[Record], cited: Mapping[str, Record]) -> Record:
    """A value as a record, but for its history."""
    anchor = next((r for r in own if r["kind"] == "procedure" and r["procedure_id"] == one.procedure_id), None)
    name = hashlib.sha256("\x1f".join((str(one.subject_id), *one.key)).encode()).hexdigest()[:32]
    source_id = f"{one.formula}.{name}"
    own_id = record_id(records.DERIVED, SOURCE, source_id)
    sources = [cited[each.record_id] for each in one.inputs] or own
    told: Record = {
        "kind": records.DERIVED,
        "record_id": own_id,
        "business_key": f"{one.subject_id}/{one.formula}/{own_id}",
        "source_system": SOURCE,
        "source_record_id": source_id,
        "recorded_by": SOURCE,
        "blinding_class": one.blinding_class,
        "site_timezone": (anchor or sources[0])["site_timezone"],
        "subject_id": one.subject_id,
        "formula": one.formula,
        "formula_version": one.version,
        **_value(one),
        **_citations(one, cited),
        **_labels(one.labels),
    }
    if all(each.get("synthetic") for each in own):
        told["synthetic"] = True
    plain = {"study_id": one.study_id, "procedure_id": one.procedure_id, "timepoint_code": one.timepoint}
    plain |= {"scope": one.scope, "at": one.at, "until": one.until}
    told |= {name: value for name, value in plain.items() if value is not None}
    if one.missing_timepoints:
        told["missing_timepoints"] = list(one.missing_timepoints)
    return told


def _value(one: Derived) -> Record:
    if one.undefined is not None:
        return {"undefined": one.undefined}
    if isinstance(one.value, bool):
        return {"value_flag": one.value}
    if isinstance(one.value, str):
        return {"value_time": one.value}
    return {"value_number": one.value, "value_unit": one.unit}


def _citations(one: Derived, cited: Mapping[str, Record]) -> Record:
    """The records that it rests on, by version: what was observed, the procedure it is counted from, and others."""
    told: Record = {}
    anchor: tuple[Input, ...] = () if one.anchor is None else (one.anchor,)
    for each in dict.fromkeys((*one.inputs, *anchor)):
        record = cited[each.record_id]
        kind = record["kind"]
        item = {"kind": kind, "record_id": each.record_id, "version": each.version}
        if kind in OBSERVED:
            told.setdefault("inputs", []).append(item)
        elif kind == "procedure" and record["procedure_id"] == one.procedure_id:
            told["procedure_version"] = each.version
        else:
            key = {"key": record[KEYS[kind]]} if kind in KEYS else {}
            told.setdefault("basis", []).append(item | key)
    return told


def _labels(labels: Mapping[str, str]) -> Record:
    """Labels as fields of their own; an empty one says nothing."""
    told: Record = {}
    for name, text in labels.items():
        if name in WORDS:
            told |= {name: text} if text else {}
        elif name in NUMBERS:
            told[name] = int(text)
        elif name == "component":
            place, _, number = text.partition(".")
            told["administration"] = PLACES[place]
            told |= {"component_no": int(number)} if number else {}
        elif name != "gaps":
            raise KeyError(f"a label without a field: {name}")
    return told


__all__ = ["SOURCE", "SUBJECTS", "bring_up_to_date"]
