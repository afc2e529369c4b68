"""Push and pull with a folder in the middle, and what a server that is away or another one does to the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.cli.conftest import Corpus, Run, rows


def test_out_to_a_folder_and_back_into_another_store(run: Run, corpus: Corpus) -> None:
    found = run("push", corpus.path, "--to", "./outbox", "--fhir", "R5", "--json")
    assert found.exit_code == 0
    told = json.loads(found.stdout)
    derived = told["derive"]["counts"]["derived_new"]
    assert told["intake"]["counts"]["read"] == len(corpus.lines) < derived
    assert told["push"]["counts"]["sent"] == len(corpus.lines) + derived
    assert told["push"]["counts"]["sent_resources"] > len(corpus.lines)
    assert "resources sent" in found.stderr
    assert "/s)" in found.stderr

    files = sorted(Path("outbox").iterdir())
    for again in (["push", corpus.path], ["push", "--store"], ["push"]):
        found = run(*again, "--to", "./outbox", "--fhir", "R5", "--json")
        told = json.loads(found.stdout)
        assert (found.exit_code, told["push"]["counts"]) == (0, {"unchanged": len(corpus.lines) + derived})
        assert told["derive"]["counts"] == {}
    assert sorted(Path("outbox").iterdir()) == files

    other = "sqlite:///other.sqlite"
    pulled = run("pull", "--from", "./outbox", "--fhir", "R5", "--store-url", other, "--out", "back.ndjson", "--json")
    assert pulled.exit_code == 0
    told = json.loads(pulled.stdout)["counts"]
    assert (told["records"], told["derived_left_out"]) == (len(corpus.lines) + derived, derived)
    assert sorted(Path("back.ndjson").read_text().splitlines()) == sorted(corpus.lines)
    told = json.loads(run("push", "--to", "./third", "--fhir", "R4", "--store-url", other, "--json").stdout)
    assert told["derive"]["counts"].keys() == {"derived", "undefined"}, "what came is what follows again"
    assert told["push"]["counts"]["sent"] == len(corpus.lines) + derived


def test_derived_measures_are_exported_only_when_asked_for(run: Run, corpus: Corpus) -> None:
    run("push", corpus.path, "--to", "./outbox", "--fhir", "R4")
    one = ("--from", "./outbox", "--fhir", "R4", "--store-url", "sqlite:///other.sqlite", "--out", "all.ndjson")
    assert run("pull", *one, "--derived").exit_code == 0
    derived = [row for row in rows("all.ndjson") if row["kind"] == "derived_measure"]
    assert len(rows("all.ndjson")) == len(corpus.lines) + len(derived)
    Path("derived.ndjson").write_text("\n".join(json.dumps(row) for row in derived[:2]))
    found = run("push", "derived.ndjson", "--to", "./outbox", "--fhir", "R4", "--json", "--rejects", "no.ndjson")
    assert found.exit_code == 1
    assert [(row["record"], row["rule"]) for row in rows("no.ndjson")] == [
        (row["record_id"], "derived_input") for row in derived[:2]
    ]


def test_a_target_may_want_no_derived_measures(run: Run, corpus: Corpus) -> None:
    """Nothing is derived for it; once another target has had them, it still gets none."""
    Path("hydrofhir.toml").write_text('[targets.plain]\nfolder = "./plain"\nfhir = "R4"\nderived = false\n')
    for first in (True, False):
        told = json.loads(run("push", corpus.path, "--to", "plain", "--json").stdout)
        counts = {"sent": len(corpus.lines)} if first else {"unchanged": len(corpus.lines)}
        assert counts.items() <= told["push"]["counts"].items()
        assert "derive" not in told
        assert not told["push"]["counts"].get("rejected")
        run("push", "--to", "./outbox", "--fhir", "R4")
    told = json.loads(run("pull", "--from", "plain", "--store-url", "sqlite:///b.sqlite", "--json").stdout)
    assert told["counts"]["records"] == len(corpus.lines)


def test_a_changed_record_is_all_that_is_sent(run: Run, corpus: Corpus) -> None:
    run("push", corpus.path, "--to", "./outbox", "--fhir", "R4")
    first = next(json.loads(line) for line in corpus.lines if '"kind":"subject"' in line)
    changed = {**first, "version": 2, "supersedes_version": 1, "record_status": "corrected", "change_reason": "typing"}
    changed.pop("idempotency_key", None)
    Path("next.ndjson").write_text(json.dumps(changed))
    told = json.loads(run("push", "next.ndjson", "--to", "./outbox", "--fhir", "R4", "--json").stdout)
    assert told["intake"]["counts"]["changed"] == 1, told
    derived = told["derive"]["counts"]
    assert told["push"]["counts"]["sent"] == 1 + derived["derived_changed"]
    assert told["push"]["counts"]["unchanged"] > len(corpus.lines) - 1
    assert derived["derived_changed"] < derived["derived"] / 2, "only what rests on the subject's own record"


def test_refused_records_do_not_stop_the_others(run: Run, corpus: Corpus) -> None:
    Path("some.ndjson").write_text(corpus.lines[0] + "\nnot json\n" + corpus.lines[1] + "\n")
    found = run("push", "some.ndjson", "--to", "./outbox", "--fhir", "R4", "--json", "--rejects", "no.ndjson")
    told = json.loads(found.stdout)
    assert (found.exit_code, told["exit_code"]) == (1, 1)
    assert told["push"]["counts"]["sent"] == 2 + told["derive"]["counts"].get("derived_new", 0)
    assert rows("no.ndjson") == [{"rule": "json", "line": 2}]


def test_pull_can_write_to_standard_output(run: Run, corpus: Corpus) -> None:
    run("push", corpus.path, "--to", "./outbox", "--fhir", "R4")
    found = run("pull", "--from", "./outbox", "--fhir", "R4", "--store-url", "sqlite:///b.sqlite", "--out", "-")
    assert found.exit_code == 0
    assert sorted(found.stdout.splitlines()) == sorted(corpus.lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ["push", "--to", "nowhere"],
        ["push", "--to", "./outbox"],
        ["push", "--to", "hapi-r4", "--fhir", "R5"],
        ["push", "records.ndjson", "--store", "--to", "./outbox", "--fhir", "R4"],
        ["pull", "--from", "./outbox", "--fhir", "R4", "--since", "yesterday"],
        ["pull", "--from", "./outbox", "--fhir", "R4", "--since", "2026-01-01T00:00:00"],
        ["pull", "--from", "./missing", "--fhir", "R4"],
        ["pull", "--from", "./missing", "--fhir", "R4", "--out", "-", "--json"],
    ],
)
def test_what_cannot_be_meant_is_exit_code_2(run: Run, corpus: Corpus, arguments: list[str]) -> None:
    found = run(*arguments)
    assert found.exit_code == 2
    assert "Traceback" not in found.output


SETTINGS = """
[targets.ward]
base_url = "{base}"
fhir = "R4"
max_retries = 0
"""


def test_a_server_that_is_away_is_exit_code_3(run: Run, corpus: Corpus) -> None:
    Path("hydrofhir.toml").write_text(SETTINGS.format(base="http://127.0.0.1:9/fhir"))
    found = run("push", corpus.path, "--to", "ward")
    assert found.exit_code == 3
    assert "ward" in found.stderr
    assert run("pull", "--from", "ward").exit_code == 3


@pytest.mark.parametrize(("status", "code"), [(401, 4), (503, 3)])
def test_what_the_server_says_decides(run: Run, corpus: Corpus, httpserver: HTTPServer, status: int, code: int) -> None:
    Path("hydrofhir.toml").write_text(SETTINGS.format(base=httpserver.url_for("/fhir")))
    httpserver.expect_request("/fhir/metadata").respond_with_data("", status=status)
    found = run("push", corpus.path, "--to", "ward")
    assert found.exit_code == code
    assert str(status) in found.stderr


def test_another_fhir_version_stops_the_push(run: Run, corpus: Corpus, httpserver: HTTPServer) -> None:
    Path("hydrofhir.toml").write_text(SETTINGS.format(base=httpserver.url_for("/fhir")))
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}
    httpserver.expect_request("/fhir/metadata").respond_with_json(statement)
    found = run("push", corpus.path, "--to", "ward", "--json")
    assert found.exit_code == 4
    assert json.loads(found.stdout)["error"]["kind"] == "VersionMismatch"
