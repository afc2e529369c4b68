"""What push holds back, and how it is looked at: exit code 3, `waiting`, and the flags of what is kept."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Corpus, Run, rows


def kind_of(line: str) -> str:
    return str(json.loads(line)["kind"])


def test_a_push_without_the_study_holds_the_trial_back(run: Run, corpus: Corpus) -> None:
    study = [line for line in corpus.lines if kind_of(line) == "study"]
    rest = [line for line in corpus.lines if kind_of(line) != "study"]
    Path("rest.ndjson").write_text("\n".join(rest))
    Path("study.ndjson").write_text("\n".join(study))
    of_trial = [line for line in rest if "study_id" in json.loads(line)]
    others = len(rest) - len(of_trial)

    to = ("--to", "./outbox", "--fhir", "R4")
    found = run("push", "rest.ndjson", *to, "--json", "--rejects", "no.ndjson")
    told = json.loads(found.stdout)
    assert (found.exit_code, told["intake"]["counts"]["waiting"]) == (3, len(of_trial))
    assert told["intake"]["counts"]["new"] == others
    assert told["push"]["counts"]["sent"] == others + told["derive"]["counts"]["derived_new"]
    assert {row["rule"] for row in rows("no.ndjson")} == {"V11.study"}

    listed = run("waiting")
    lines = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (listed.exit_code, len(lines)) == (0, len(of_trial))
    assert {line["record_id"] for line in lines} == {json.loads(line)["record_id"] for line in of_trial}
    assert lines[0]["waits_for"] == {"kind": "study", "key": json.loads(study[0])["study_id"]}
    assert f"waiting: {len(of_trial)}" in listed.stderr
    assert json.loads(run("waiting", "--json").stdout)["waiting"] == len(of_trial)

    found = run("push", "study.ndjson", *to, "--json")
    told = json.loads(found.stdout)
    derived = told["derive"]["counts"]["derived_new"]
    assert (found.exit_code, told["push"]["counts"]["sent"]) == (0, len(of_trial) + 1 + derived)
    assert run("waiting").stdout == ""


def test_flags_are_shown_and_listed(run: Run, corpus: Corpus) -> None:
    study, *_ = (json.loads(line) for line in corpus.lines if kind_of(line) == "study")
    Path("study.ndjson").write_text(json.dumps({**study, "actual_enrolment": study["planned_enrolment"] + 1}))
    found = run("push", "study.ndjson", "--to", "./outbox", "--fhir", "R4", "--rejects", "no.ndjson")
    assert found.exit_code == 0
    assert "kept with a flag" in found.stderr
    assert rows("no.ndjson") == []
    [flag] = [json.loads(line) for line in run("waiting", "--flags").stdout.splitlines()]
    assert flag == {
        "kind": "study", "record_id": study["record_id"], "version": 1, "rule": "W.enrolment",
        "field": "actual_enrolment", "limit": "planned_enrolment",
    }  # fmt: skip


def test_waiting_days_are_a_setting(run: Run, corpus: Corpus) -> None:
    score = next(line for line in corpus.lines if kind_of(line) == "pain_outcome")
    other = next(line for line in corpus.lines if kind_of(line) == "study")
    Path("score.ndjson").write_text(score)
    Path("study.ndjson").write_text(other)
    Path("hydrofhir.toml").write_text("waiting_days = 0\n")
    to = ("--to", "./outbox", "--fhir", "R4", "--json")
    assert run("push", "score.ndjson", *to).exit_code == 3
    found = run("push", "study.ndjson", *to)
    counts = json.loads(found.stdout)["intake"]["counts"]
    assert (found.exit_code, counts["expired"], counts["new"]) == (1, 1, 1)
    assert run("waiting").stdout == ""
