"""What is measured with: synthetic records, their resources, and the libraries' own way as the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapter import codec, pipeline, records, synthetic
from adapter.derivation import bring_up_to_date
from adapter.fhir import versions
from adapter.records.intake import Entry
from adapter.report import Report
from adapter.store import Store

Record = dict[str, Any]
Resource = dict[str, Any]


def corpus(persons: int, seed: int) -> list[Record]:
    """The generated trial and its registry, validated."""
    return [records.load(None, record) for record in synthetic.generate(persons, seed)]


def with_derived(found: list[Record]) -> list[Record]:
    """The records, and what a store derives from them."""
    with TemporaryDirectory() as folder, Store(f"sqlite:///{folder}/store.sqlite") as store:
        pipeline.intake(store, (Entry(n, record) for n, record in enumerate(found, 1)), Report("intake"))
        bring_up_to_date(store, Report("derive"))
        return [*found, *(codec.loads_wire(one.body) for one in store.iter_records(records.DERIVED))]


def scores(n: int, seed: int = 1) -> list[Record]:
    """Validated pain scores."""
    return [records.load(None, record) for record in synthetic.scores(n, seed)]


def with_parents(found: Iterable[Record]) -> Iterator[Record]:
    """Scores, each subject's after the records that they refer to (which intake waits for), made from the examples."""
    studies: set[str] = set()
    subject = ""
    for score in found:
        if score["study_id"] not in studies:
            studies.add(score["study_id"])
            yield _like("study", score, study_id=score["study_id"])
        if score["subject_id"] != subject:
            subject = score["subject_id"]
            yield from _parents(score)
        yield score


def _parents(score: Record) -> Iterator[Record]:
    """Subject, enrolment and procedure of a baseline score, all of the day on which it was taken."""
    start = datetime.fromisoformat(score["assessed_at"])

    def at(hours: int) -> str:
        return (start + timedelta(hours=hours)).isoformat()

    ids = {"subject_id": score["subject_id"], "study_id": score["study_id"]}
    states = [{"status": "eligible", "at": at(-3)}, {"status": "on_intervention", "at": at(0)}]
    yield _like("subject", score, subject_id=score["subject_id"], recorded_at=at(-6))
    yield _like(
        "enrolment", score, **ids, consent_at=at(-5), screened_at=at(-4), randomised_at=at(-2), status_history=states,
        recorded_at=at(1),
    )  # fmt: skip
    yield _like(
        "procedure", score, **ids, started_at=at(0), ended_at=at(0), recorded_at=at(1), return_activity_date="2030"
    )


def _like(kind: str, score: Record, **change: Any) -> Record:
    """The example of a kind, as a record of its own for the subject of the score."""
    made = ("record_id", "business_key", "idempotency_key")
    raw = {name: value for name, value in records.example(kind).items() if name not in made}
    source = {"source_system": score["source_system"], "source_record_id": f"{score['subject_id']}.{kind}"}
    return records.load(kind, raw | source | change)


def of_kind(found: Iterable[Record], kind: str, most: int) -> list[Record]:
    return list(islice((record for record in found if record["kind"] == kind), most))


def write_lines(path: Path, found: Iterable[Record]) -> int:
    """NDJSON, record by record; how many."""
    count = 0
    with path.open("wb") as stream:
        for record in found:
            stream.write(codec.dumps(record) + b"\n")
            count += 1
    return count


def models(resources: Iterable[Resource], version: str) -> list[tuple[Any, Resource]]:
    """Each resource with its fhir.resources class."""
    return [(versions.model(version, resource["resourceType"]), resource) for resource in resources]


def through_models(pairs: Iterable[tuple[Any, Resource]]) -> None:
    """The baseline of writing: validate as fhir.resources does, and encode."""
    for model, resource in pairs:
        model.model_validate(resource).model_dump_json()


def chunked(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
