"""The demo with a folder for a server: it ends with the word equal, or names the records and fields that differ."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapter import demo, mill, sandbox
from tests.cli.conftest import Run, rows


@pytest.fixture(autouse=True)
def _no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "missing_tools", lambda: ("java", "mvn"))


def test_both_versions_come_back_equal(run: Run, home: Path) -> None:
    found = run("demo", "--subjects", "3")
    assert found.exit_code == 0
    assert "java, mvn not found" in found.stderr
    assert found.stdout.rstrip().endswith("equal")
    lines = found.stdout.splitlines()
    assert any("R4 (folder)" in line and "R5 (folder)" in line for line in lines)
    out = home / "demo-out"
    made = len(rows(out / "records.ndjson"))
    equal, of = (int(n) for n in re.findall(r"equal\D+(\d+) of (\d+)", found.stdout)[0])
    assert equal == of > 2 * made, "what was derived travels too"
    assert sorted(one.name for one in out.iterdir()) == [
        "pain-curves.png", "pain-curves.svg", "pulled.R4.ndjson", "pulled.R5.ndjson", "records.ndjson",
    ]  # fmt: skip
    sent = sorted((out / "records.ndjson").read_text().splitlines())
    assert sorted((out / "pulled.R5.ndjson").read_text().splitlines()) == sent
    assert (out / "pain-curves.png").read_bytes()[:4] == b"\x89PNG"
    assert not (home / "state" / "store.sqlite").exists()  # the installation's own store is left alone


def test_one_version_as_json(run: Run) -> None:
    told = json.loads(run("demo", "--subjects", "2", "--fhir", "R5", "--out", "there", "--json").stdout)
    (one,) = told["runs"]
    assert (one["fhir"], one["where"], one["second_push_wrote"]) == ("R5", "folder", 0)
    assert one["equal"] == one["records"] > 10
    assert 10 < one["derived"] < one["records"]
    read = one["resources"] - (one["records"] - one["derived"])  # the Provenance of what was taken in is for others
    assert read == one["pulled_resources"] > one["records"]
    assert one["pushed_per_second"] > 0 < one["pulled_per_second"]


def test_a_difference_is_named_by_record_and_field(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = mill.Mill.records

    def spoilt(self: Any, *arguments: Any) -> Any:
        for taken in real(self, *arguments):
            if taken.record is not None and taken.record["kind"] == "study":
                taken.record["title"] = "Something else"
            yield taken

    monkeypatch.setattr(mill.Mill, "records", spoilt)
    found = run("demo", "--subjects", "1", "--fhir", "R4")
    assert found.exit_code == 1
    assert "title: differs" in found.stdout
    assert "Something else" not in found.output
    assert not found.stdout.rstrip().endswith(": equal")


def test_equal_means_digits_and_list_order_but_not_key_order() -> None:
    one = {"kind": "subject", "weight_kg": 70, "allergies": ["a", "b"], "deceased_at": "2026", "sex": "male"}
    assert demo.different(one, dict(reversed(one.items()))) == []
    assert demo.different(one, {**one, "allergies": ["b", "a"]}) == ["allergies"]
    without = {name: value for name, value in one.items() if name != "sex"}
    assert demo.different(one, without) == demo.different(without, one) == ["sex"]
