"""Records to resources: order, bundles, processes, explanations, and what happens to bad input."""

from __future__ import annotations

import gzip
import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Corpus, Run, rows

# What the path of a row says by itself, not through its value: slices, and the resource's own identity.
SPOKEN_FOR = re.compile(
    r"\.url$|\.system$|component\[\d+\]\.code\.|^\w+\.(resourceType|id)$|^\w+\.identifier\[\d+\]\.value$"
)
# What a contained resource is called, to be found again by the reference to it.
BESIDE = re.compile(r"\.contained\[\d+\]\.(id|resourceType|identifier\[\d+\]\.value)$")


def test_a_records_resources_stay_together_root_first(run: Run, corpus: Corpus) -> None:
    found = run("map", corpus.path, "--fhir", "R4", "--out", "out.ndjson")
    assert found.exit_code == 0
    assert found.stdout == ""
    resources = rows("out.ndjson")
    assert resources[0]["resourceType"] == "ResearchStudy"
    plain = [f"{one['resourceType']}/{one['id']}" for one in resources]
    assert len(set(plain)) == len(plain)
    run("map", corpus.path, "--fhir", "R4", "--out", "bundles.ndjson", "--bundle")
    bundles = rows("bundles.ndjson")
    assert len(bundles) == len(corpus.lines)
    assert {one["type"] for one in bundles} == {"collection"}
    assert [entry["resource"] for one in bundles for entry in one["entry"]] == resources


def test_processes_change_nothing(run: Run, corpus: Corpus, home: Path) -> None:
    many = home / "many.ndjson"
    many.write_text((corpus.path.read_text() + "not json\n") * 4)
    codes = {
        run("map", many, "--fhir", "R5", "--jobs", jobs, "-o", f"{jobs}.ndjson", "--explain", f"{jobs}.why",
            "--rejects", f"{jobs}.no").exit_code
        for jobs in ("1", "2")
    }  # fmt: skip
    assert codes == {1}
    for kind in ("ndjson", "why", "no"):
        assert Path(f"1.{kind}").read_bytes() == Path(f"2.{kind}").read_bytes()
    assert len(rows("1.no")) == 4


def test_standard_input_and_output_and_gzip(run: Run, corpus: Corpus) -> None:
    data = corpus.path.read_bytes()
    plain = run("map", "-", "--fhir", "R4", stdin=data)
    packed = run("map", "-", "--fhir", "R4", "--out", "-", stdin=gzip.compress(data))
    array = run("map", "-", "--fhir", "R4", stdin=b"[" + b",\n".join(data.splitlines()) + b"]")
    assert plain.exit_code == packed.exit_code == array.exit_code == 0
    assert plain.stdout_bytes == packed.stdout_bytes == array.stdout_bytes != b""
    assert "mapped" in plain.stderr


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_every_element_is_explained_by_file_and_line(run: Run, corpus: Corpus, version: str) -> None:
    run("map", corpus.path, "--fhir", version, "--out", "out.ndjson", "--explain", "why.ndjson")
    notes = rows("why.ndjson")
    assert [note["line"] for note in notes] == list(range(1, len(corpus.lines) + 1))
    elements = [one for note in notes for one in note["elements"]]
    assert all(re.fullmatch(r"fields/\w+\.yaml:\d+", one["row"]) for one in elements)
    paths: dict[str, set[str]] = {}
    for one in elements:
        paths.setdefault(one["resource"], set()).add(one["path"])
    unexplained = {
        leaf
        for resource in rows("out.ndjson")
        for leaf in leaves(resource, resource["resourceType"])
        if not SPOKEN_FOR.search(leaf)
        and not BESIDE.search(leaf)
        and not above(leaf) & paths[f"{resource['resourceType']}/{resource['id']}"]
    }
    assert unexplained == set()


def leaves(value: Any, path: str) -> list[str]:
    if isinstance(value, dict):
        return [leaf for name, one in value.items() for leaf in leaves(one, f"{path}.{name}")]
    if isinstance(value, list):
        return [leaf for n, one in enumerate(value) for leaf in leaves(one, f"{path}[{n}]")]
    return [path]


def above(path: str) -> set[str]:
    """The path and all that it lies in."""
    return {path} | {path[: match.start()] for match in re.finditer(r"[.\[]", path)}


def test_bad_records_are_named_and_the_rest_is_mapped(run: Run, corpus: Corpus, home: Path) -> None:
    score = next(line for line in corpus.lines if '"pain_outcome"' in line and '"score":' in line)
    bad = home / "bad.ndjson"
    bad.write_text(
        "\n".join(
            [
                corpus.lines[0],
                "{broken",
                re.sub(r'"score":\d+', '"score":62', score),
                corpus.lines[1],
                '{"kind":"weather"}',
                "x" * 2_000_000,
            ]
        )
    )
    found = run("map", bad, "--fhir", "R4", "--out", "out.ndjson", "--rejects", "no.ndjson", "--json")
    assert found.exit_code == 1
    told = json.loads(found.stdout)
    assert told["counts"]["read"] == 6
    assert told["counts"]["mapped"] == 2
    assert told["counts"]["refused"] == 4
    refused = rows("no.ndjson")
    assert {one["line"] for one in refused} == {2, 3, 5, 6}
    ranged = next(one for one in refused if one["line"] == 3)
    assert ranged["field"] == "score"
    assert ranged["record"] == json.loads(score)["record_id"]
    assert "62" not in found.output + Path("no.ndjson").read_text().replace(ranged["record"], "")
    assert "line 2" in found.stderr
    alone = home / "good.ndjson"
    alone.write_text("\n".join([corpus.lines[0], corpus.lines[1]]))
    assert run("map", alone, "--fhir", "R4").stdout_bytes == Path("out.ndjson").read_bytes()


def test_only_the_first_issues_are_shown(run: Run, home: Path) -> None:
    Path("bad.ndjson").write_text("{\n" * 50)
    found = run("map", "bad.ndjson", "--fhir", "R4")
    assert found.exit_code == 1
    assert found.stderr.count("json") < 25
    assert "--rejects" in found.stderr


def test_no_input_is_fine(run: Run) -> None:
    found = run("map", "-", "--fhir", "R4", stdin=b"")
    assert (found.exit_code, found.stdout) == (0, "")


def test_outputs_appear_whole_and_private(run: Run, corpus: Corpus, home: Path) -> None:
    run("map", corpus.path, "--fhir", "R4", "--out", "out.ndjson")
    assert stat.S_IMODE(Path("out.ndjson").stat().st_mode) == 0o600
    Path("out.ndjson").chmod(0o644)
    run("map", corpus.path, "--fhir", "R4", "--out", "out.ndjson")
    assert stat.S_IMODE(Path("out.ndjson").stat().st_mode) == 0o644
    again = run("map", corpus.path, "--fhir", "R5", "--out", corpus.path)
    assert again.exit_code == 0
    assert "resourceType" in corpus.path.read_text()
    assert sorted(one.name for one in home.iterdir()) == ["out.ndjson", "records.ndjson"]


@pytest.mark.parametrize(
    "options",
    [
        ["--out", "a", "--explain", "a"],
        ["--out", "a", "--rejects", "a"],
        ["--json"],
        ["--out", "no/such/folder/file"],
        ["--out", "."],
    ],
)
def test_outputs_that_cannot_be_are_refused(run: Run, corpus: Corpus, options: list[str]) -> None:
    found = run("map", corpus.path, "--fhir", "R4", *options)
    assert found.exit_code == 2
    assert not Path("a").exists()


def test_map_gives_the_ids_that_push_gives(run: Run, corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYDROFHIR_NAMESPACE")
    Path("one.ndjson").write_text(corpus.lines[0])
    run("map", "one.ndjson", "--fhir", "R4", "--out", "mapped.ndjson")
    run("push", "one.ndjson", "--to", "./outbox", "--fhir", "R4")
    pushed = json.loads(Path("outbox/bundle-000001.json").read_text())
    assert {e["resource"]["id"] for e in pushed["entry"]} == {one["id"] for one in rows("mapped.ndjson")}
