"""The command derive: records of a story in, values with their inputs out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Corpus, Run, rows

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_a_story_of_the_trial(run: Run) -> None:
    found = run("derive", EXAMPLES / "s01-trial-full-path" / "records.ndjson", "--out", "derived.ndjson")
    assert found.exit_code == 0
    values = rows("derived.ndjson")
    percents = {
        one["timepoint"]: one["value"]
        for one in values
        if one["formula"] == "pct_reduction" and one["procedure_id"] == "P2" and "value" in one
    }
    assert percents == {"h1": 71.428571, "w1": 57.142857, "m1": 71.428571, "m3": 85.714286}
    (positive,) = [one for one in values if one["formula"] == "diagnostic_positive"]
    assert positive["value"] is True
    (palpation,) = [one for one in values if one["formula"] == "change" and "undefined" in one]
    assert (palpation["undefined"], "value" in palpation) == ("followup_missing", False)
    corrected = [one for one in values if one["formula"] == "change" and one["timepoint"] == "w1"]
    assert [one["inputs"][-1]["version"] for one in corrected] == [2]
    flow = {one["formula"]: one["value"] for one in values if len(one["key"]) == 2}
    assert flow["flow_randomised"] == flow["flow_received"] == 1


def test_the_registry_story_by_session_and_by_course(run: Run) -> None:
    run("derive", EXAMPLES / "s03-registry-two-sides" / "records.ndjson", "--out", "derived.ndjson")
    found = [one for one in rows("derived.ndjson") if one["formula"] == "pct_reduction"]
    told = {(one["labels"]["laterality"], one["scope"]): one["value"] for one in found}
    assert told == {
        ("left", "procedure"): 50,
        ("right", "procedure"): -20,
        ("left", "course"): 71.428571,
        ("right", "course"): 25,
    }


def test_the_order_of_the_file_does_not_count_and_refused_records_are_named(run: Run, corpus: Corpus) -> None:
    run("derive", corpus.path, "--out", "a.ndjson")
    corpus.path.write_text("\n".join(reversed(corpus.lines)) + "\nnot json\n")
    found = run("derive", corpus.path, "--out", "b.ndjson", "--rejects", "no.ndjson")
    assert found.exit_code == 1
    assert len(rows("no.ndjson")) == 1
    first, second = (sorted(Path(name).read_text().splitlines()) for name in ("a.ndjson", "b.ndjson"))
    assert len(first) > 100
    assert first == second
    assert "derived" in found.stderr


@pytest.mark.parametrize("mark", ["HD1-", "HR1-"])
def test_what_is_said_to_people_holds_no_values(run: Run, corpus: Corpus, mark: str) -> None:
    assert mark in corpus.path.read_text()
    assert mark not in run("derive", corpus.path, "--out", "a.ndjson").stderr
