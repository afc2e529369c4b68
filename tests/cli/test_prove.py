"""`check` proves and counts; `schema` shows what a record looks like."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from adapter import catalog, records
from tests.cli.conftest import Run


def test_check_tells_what_was_proved(run: Run) -> None:
    found = run("check")
    assert found.exit_code == 0
    assert f"R4: {len(records.KNOWN)} record kinds" in found.stdout
    assert f"R5: {len(records.KNOWN)} record kinds" in found.stdout
    assert "proved" in found.stdout.splitlines()[-1]
    told = json.loads(run("check", "--json").stdout)
    assert set(told["versions"]["R4"]) == set(records.KNOWN)
    assert told["versions"]["R5"]["pain_outcome"]["resources"] == ["Observation", "Provenance"]
    assert told["code_lists"] > 50 < told["codes"]


def test_check_names_file_row_and_reason(run: Run, home: Path) -> None:
    folder = home / "mappings"
    shutil.copytree(catalog.mappings_path(), folder)
    file = folder / "fields" / "pain_outcome.yaml"
    text = file.read_text()
    assert "path: code" in text
    file.write_text(text.replace("path: code", "path: codee", 1))
    try:
        found = run("check", "--mappings", folder)
        assert found.exit_code == 2
        assert "fields/pain_outcome.yaml: line " in found.stderr
        assert "codee" in found.stderr
        findings = json.loads(run("check", "--mappings", folder, "--json").stdout)["error"]["findings"]
        assert {one["file"] for one in findings} == {"fields/pain_outcome.yaml"}
    finally:
        records.configure(catalog.load())


@pytest.mark.parametrize("kind", records.KINDS)
def test_schema_and_example(run: Run, kind: str) -> None:
    both = json.loads(run("schema", kind).stdout)
    assert both["schema"]["title"] == kind
    line = run("schema", kind, "--example").stdout
    assert line.count("\n") == 1
    assert json.loads(line) == both["example"]
    assert set(both["example"]) <= set(both["schema"]["properties"])


def test_the_example_can_be_mapped(run: Run, home: Path) -> None:
    found = run("map", "-", "--fhir", "R5", stdin=run("schema", "procedure", "--example").stdout.encode())
    assert found.exit_code == 0
    assert json.loads(found.stdout.splitlines()[0])["resourceType"] == "Procedure"
