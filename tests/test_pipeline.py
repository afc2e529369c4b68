"""The journeys, with a folder as partner and, for what a real server cannot be made to do, a server that plays it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from adapter import codec, pipeline, records, synthetic
from adapter.assembly import DEMO_NAMESPACE, assemble
from adapter.exchange import connect
from adapter.mill import Mill
from adapter.records import intake
from adapter.report import Report
from adapter.scope import Scope
from adapter.settings import Target
from adapter.store import Store

SID = assemble().sid


def corpus(subjects: int = 4) -> list[dict[str, Any]]:
    return [records.load(None, r) for r in synthetic.generate(subjects, 3)]


def stream(rows: list[Any]) -> io.BytesIO:
    return io.BytesIO(b"\n".join(r if isinstance(r, bytes) else codec.dumps(r) for r in rows))


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as opened:
        opened.namespace(DEMO_NAMESPACE)
        yield opened


def folder(tmp_path: Path, version: str) -> Target:
    return Target(name="out", fhir=version, folder=tmp_path / version)


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_there_and_back_through_a_folder(store: Store, tmp_path: Path, version: str) -> None:
    wanted = corpus()
    mill, target = Mill(assemble(), version), folder(tmp_path, version)
    took = pipeline.intake(store, intake.read(stream(wanted)), Report("intake"))
    assert took.counts["new"] == len(wanted)
    first = pipeline.push(store, mill, connect(target), Report("push"))
    assert first.counts["sent"] == len(wanted)
    assert first.exit_code == 0
    files = {p.name: p.stat().st_mtime_ns for p in target.folder.iterdir()}  # type: ignore[union-attr]
    again = pipeline.intake(store, intake.read(stream(wanted)), Report("intake"))
    assert again.counts["unchanged"] == len(wanted)
    second = pipeline.push(store, mill, connect(target), Report("push"))
    assert not second.counts["offered"]
    assert {n for n in files if n.startswith("bundle")} == {
        p.name
        for p in target.folder.iterdir()
        if p.name.startswith("bundle")  # type: ignore[union-attr]
    }
    got: list[dict[str, Any]] = []
    with Store(f"sqlite:///{tmp_path}/other.sqlite") as other:
        pulled = pipeline.pull(other, mill, connect(target), Report("pull"), out=got.append)
        assert pulled.counts["records"] == len(wanted)
        assert other.staged_count(target.ledger_key) == 0
    by_key = {(r["kind"], records.key(r)): codec.dumps(r) for r in got}
    assert by_key == {(r["kind"], records.key(r)): codec.dumps(r) for r in wanted}


def test_bad_input_is_named_and_the_rest_goes_on(store: Store, tmp_path: Path) -> None:
    good = corpus(2)
    off = {**next(r for r in good if r["kind"] == "pain_outcome" and "score" in r), "score": 62}
    rows = [b"{broken", *good, {"kind": "nonsense"}, off]
    report = Report("intake")
    pipeline.intake(store, intake.read(stream(rows)), report)
    assert report.counts["new"] == len(good)
    assert report.counts["refused"] == 3
    assert [(i.line, i.rule) for i in report.issues] == [
        (1, "json"),
        (len(good) + 2, "kind"),
        (len(good) + 3, "V1.range"),
    ]
    assert report.exit_code == 1
    pushed = pipeline.push(store, Mill(assemble(), "R4"), connect(folder(tmp_path, "R4")), Report("push"))
    assert pushed.counts["sent"] == len(good)


def test_a_new_version_takes_away_what_it_no_longer_has(store: Store, tmp_path: Path) -> None:
    procedure = records.load("procedure", records.example("procedure"))
    parents = [records.example(kind) for kind in ("study", "subject", "enrolment")]
    mill, target = Mill(assemble(), "R4"), folder(tmp_path, "R4")
    pipeline.intake(store, intake.read(stream([*parents, procedure])), Report("intake"))
    pipeline.push(store, mill, connect(target), Report("push"))
    raw = {k: v for k, v in procedure.items() if k not in ("skin_anaesthetic", "idempotency_key")}
    change = {
        "version": 2,
        "supersedes_version": 1,
        "record_status": "corrected",
        "change_reason": "no skin anaesthetic",
    }
    pipeline.intake(store, intake.read(stream([{**raw, **change}])), Report("intake"))
    pushed = pipeline.push(store, mill, connect(target), Report("push"))
    assert pushed.counts["sent"] == 1
    last = codec.loads_wire(sorted(target.folder.glob("bundle-*.json"))[-1].read_bytes())  # type: ignore[union-attr]
    gone = [e["request"]["url"] for e in last["entry"] if e["request"]["method"] == "DELETE"]
    assert [u.split("/")[0] for u in gone] == ["MedicationAdministration"]


def test_an_older_version_after_a_newer_one_is_refused(store: Store) -> None:
    record = records.load("subject", records.example("subject"))
    newer = {**record, "version": 2, "supersedes_version": 1, "change_reason": "weight", "record_status": "amended"}
    newer.pop("idempotency_key")
    pipeline.intake(store, intake.read(stream([newer])), Report("intake"))
    report = pipeline.intake(store, intake.read(stream([record])), Report("intake"))
    assert [i.rule for i in report.issues] == ["V12-older"]


def _capable(server: HTTPServer) -> Target:
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"mode": "server"}]}
    server.expect_request("/fhir/metadata").respond_with_json(statement)
    return Target(name="play", fhir="R4", base_url=server.url_for("/fhir"), max_retries=0)


def test_a_pull_that_lost_a_page_says_so_and_keeps_its_cursor(store: Store, httpserver: HTTPServer) -> None:
    """The server gives one Patient and counts two: the pull is not complete, and the next one reads all again."""
    target = _capable(httpserver)
    mill = Mill(assemble(), "R4")
    bare = records.example("subject")
    for name in ("conditions", "prior_therapies", "allergies", "weight_kg", "height_cm", "anticoagulant"):
        bare.pop(name, None)
    bare["field_absent_reason"] = {"conditions": "not_in_source"}
    (_, _, patient), *said = mill.resources(records.load("subject", bare))
    assert [kind for kind, _, _ in said] == ["Provenance"]
    page = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": codec.loads_wire(patient)}]}

    def answer(request: Any) -> Any:
        kind = request.path.split("/")[2]
        assert b"_total=accurate" in request.get_data()
        body = {"resourceType": "Bundle", "type": "searchset", "total": 0}
        body = {**page, "total": 2} if kind == "Patient" else body
        return Response(codec.dumps(body), content_type="application/fhir+json")

    httpserver.expect_request(re.compile("/fhir/[A-Z].*")).respond_with_handler(answer)
    report = pipeline.pull(store, mill, connect(target), Report("pull"), Scope())
    assert report.counts["records"] == 1
    assert "1 Patient" in report.unfinished
    assert report.exit_code == 3
    assert store.cursor(target.ledger_key) is None
