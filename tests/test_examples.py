"""Every story in `examples/` is a golden test: what its records become, to the byte, and that they come back equal.

After a wanted change: `python -m tests.regenerate_examples`, and read the diff. What the stories S01 to S12 must come to is
written by hand beside them (`expect.yaml`), and holds whatever the golden files say.
"""

from __future__ import annotations

import random
import shlex
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from adapter import codec, records
from adapter.assembly import assemble
from adapter.commands import hydrofhir
from adapter.fhir import versions
from adapter.fhir.gate import Gate
from adapter.measures import REASONS
from adapter.mill import Mill
from tests import expectations, stories
from tests import regenerate_examples as examples
from tests.test_docs import blocks

VERSIONS = stories.VERSIONS
STORIES = stories.stories()
SCENARIOS = [one for one in STORIES if one.name[:1] == "s" and one.name[1:3].isdigit()]
FOREIGN = stories.foreign_stories()
ENTRIES = [(one, entry) for one in SCENARIOS for entry in expectations.entries(one)]
AGAIN = "not what is made today; if that is wanted: python -m tests.regenerate_examples"


def named(path: Path) -> str:
    return path.name


def test_the_stories_are_there() -> None:
    assert [one.name[:3] for one in SCENARIOS] == [f"s{number:02}" for number in range(1, 13)]
    assert {one.name for one in STORIES} - {one.name for one in SCENARIOS} == {
        "first-record", "study-hydrodissection-trial", "study-registry",
    }  # fmt: skip
    assert {p.name for p in FOREIGN} == {"foreign"}


def test_the_index_has_every_story() -> None:
    text = (stories.EXAMPLES / "README.md").read_text()
    assert {one.name for one in [*STORIES, *FOREIGN] if f"`examples/{one.name}/README.md`" not in text} == set()


@pytest.mark.parametrize("story", [*STORIES, *FOREIGN], ids=named)
def test_each_story_says_what_it_shows(story: Path) -> None:
    text = (story / "README.md").read_text()
    assert text.startswith("# ")
    for file in story.iterdir():
        assert file.name == "README.md" or f"`{file.name}`" in text, f"{file.name} is not explained"


@pytest.mark.parametrize("story", SCENARIOS, ids=named)
def test_the_commands_of_a_story_work(story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand in its README, one after the other. They refuse what the story says, and what they derive is what
    stands there."""
    monkeypatch.setenv("HYDROFHIR_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("HYDROFHIR_CONFIG", raising=False)
    monkeypatch.delenv("HYDROFHIR_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(stories.EXAMPLES)
    todo = {state.file.name: state for state in stories.played(story)}
    for line in "".join(blocks(story / "README.md", "sh")).splitlines():
        command, *arguments = shlex.split(line)
        assert command == "hydrofhir"
        ended = CliRunner().invoke(hydrofhir, arguments)
        assert ended.exception is None or isinstance(ended.exception, SystemExit), line
        state = todo.pop(Path(arguments[1]).name, None) if arguments[0] == "push" else None
        said = [(outcome, issue) for outcome, issue in state.said if outcome != "flagged"] if state else []
        assert ended.exit_code == max([0, *({"refused": 1, "waiting": 3}[outcome] for outcome, _ in said)]), line
        if "--rejects" in arguments:
            assert Path("rejected.ndjson").read_bytes() == stories.lines(issue.as_dict() for _, issue in said)
            assert said
    if todo:  # shown by other commands: nothing is refused there
        assert [len(state.said) for state in todo.values()] == [0]
    if Path("derived.ndjson").exists():
        lines = [(folder / "derived.ndjson").read_bytes().splitlines() for folder in (tmp_path, story)]
        assert sorted(lines[0]) == sorted(lines[1])


@pytest.mark.parametrize("story", STORIES, ids=named)
def test_records_become_these_resources(story: Path) -> None:
    made = examples.golden(story)
    for name, content in made.items():
        assert (story / name).read_bytes() == content, f"{story.name}/{name}: {AGAIN}"
    assert (story / "refused.ndjson").exists() == ("refused.ndjson" in made)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("story", STORIES, ids=named)
def test_these_resources_become_the_records(story: Path, version: str) -> None:
    resources = examples.resources_of(story / f"bundle.{version}.json")
    random.Random(7).shuffle(resources)
    taken = list(Mill(assemble(), version).records(resources))
    assert [str(issue) for one in taken for issue in one.issues] == []
    back = {(one.record["kind"], records.key(one.record)): codec.dumps(one.record) for one in taken if one.record}
    kept = stories.played(story)[-1].kept.values()
    assert back == {(r["kind"], records.key(r)): codec.dumps(r) for r in kept}


# -- what the scenarios say -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "entry"),
    [pytest.param(one, entry, id=f"{one.name}-{entry['says']}") for one, entry in ENTRIES],
)
def test_the_story_comes_to_what_was_expected(story: Path, entry: dict[str, Any]) -> None:
    expectations.Story(story).check(entry)


@pytest.mark.parametrize("story", SCENARIOS, ids=named)
def test_every_expectation_can_fail(story: Path) -> None:
    """Something else in its place is not met: a number, a reason, a limit, a path, a record, whatever it is about."""
    told = expectations.Story(story)
    for entry in expectations.entries(story):
        wrong = list(_wrong(entry))
        assert wrong, entry
        for one in wrong:
            with pytest.raises((AssertionError, KeyError, ValueError, StopIteration)):
                told.check(one)


def _wrong(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An entry with one thing changed, for each thing that it says."""
    for word, value in entry.items():
        match word:
            case "derived" | "refused" | "waiting" | "flagged" | "fields":
                yield from (entry | {word: {**value, name: "another"}} for name in value)
            case "counts":
                yield from (entry | {word: {**value, name: count + 1}} for name, count in value.items())
            case "is":
                yield entry | {word: value + 1 if isinstance(value, int | Decimal) else "another"}
            case "version" | "count":
                yield entry | {word: value + 1}
            case "undefined":
                yield entry | {word: "weight_missing"}
            case "inputs":
                yield entry | {word: [*value, value[0]]}
            case "lacks":
                yield entry | {word: (value if isinstance(value, str) else value["R4"]).partition(".")[0] + ".id"}
            case "kept" | "not_kept" | "unflagged" | "unchanged" | "of" | "element" | "same_as":
                yield entry | {word: "another"}


@pytest.mark.parametrize("story", STORIES, ids=named)
def test_an_undefined_value_has_a_reason_and_nothing_in_its_place(story: Path) -> None:
    lines = [codec.loads(line) for line in (story / "derived.ndjson").read_bytes().splitlines()]
    assert lines
    assert {tuple(sorted({"value", "undefined"} & line.keys())) for line in lines} <= {("value",), ("undefined",)}
    assert {line.get("undefined") for line in lines} <= {None, *REASONS}


# -- what is in the Bundles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("story", [*STORIES, *FOREIGN], ids=named)
def test_gate_and_models_accept_every_resource(story: Path, version: str) -> None:
    gate = Gate(version)
    for resource in examples.resources_of(story / f"bundle.{version}.json"):
        data = codec.dumps(resource)
        name = f"{resource['resourceType']}/{resource['id']}"
        assert gate.check(data) == [], name
        assert refusals(version, resource["resourceType"], data) == [], name


def refusals(version: str, type_name: str, data: bytes) -> list[Any]:
    """What fhir.resources refuses, but for its one known gap: FHIR allows `_valueString` and its like in an Extension
    (an absent reason stands there), the models do not have it.
    """
    try:
        versions.model(version, type_name).model_validate_json(data)
    except ValidationError as error:
        return [
            e
            for e in error.errors()
            if not (
                e["type"] == "extra_forbidden"
                and str(e["loc"][-1]).startswith("_value")
                and "xtension" in str(e["loc"])
            )
        ]
    return []


@pytest.mark.parametrize("story", STORIES, ids=named)
def test_all_of_it_is_synthetic_and_says_so(story: Path) -> None:
    offered = [codec.loads(line) for file in stories.files_of(story) for line in file.read_bytes().splitlines()]
    assert all(record.get("synthetic") is True for record in offered)
    for version in VERSIONS:
        for resource in examples.resources_of(story / f"bundle.{version}.json"):
            assert "HTEST" in {tag.get("code") for tag in resource["meta"]["security"]}


@pytest.mark.parametrize("story", STORIES, ids=named)
def test_references_stay_inside_the_story(story: Path) -> None:
    """A story is whole: whatever a resource points at by id is in the same Bundle, or is inside the resource."""
    for version in VERSIONS:
        resources = examples.resources_of(story / f"bundle.{version}.json")
        known = {f"{r['resourceType']}/{r['id']}" for r in resources}
        for resource in resources:
            inside = {f"#{c['id']}" for c in resource.get("contained", ())}
            assert set(references(resource)) <= known | inside, resource["id"]


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [r for item in node for r in references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["reference"]] if isinstance(node.get("reference"), str) else []
    return own + [r for value in node.values() for r in references(value)]


@pytest.mark.parametrize("story", FOREIGN, ids=named)
def test_resources_of_another_writer_are_read_or_refused(story: Path) -> None:
    for name, content in examples.foreign_golden(story).items():
        assert (story / name).read_bytes() == content, f"{story.name}/{name}: {AGAIN}"


# -- what the stories are for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_partial_dates_are_not_padded(version: str) -> None:
    name = {"R4": "performedDateTime", "R5": "occurrenceDateTime"}[version]
    resources = examples.resources_of(stories.EXAMPLES / "s03-registry-two-sides" / f"bundle.{version}.json")
    assert [r[name] for r in resources if r["resourceType"] == "Procedure" and name in r][:3] == [
        "2025-03",
        "2025-06-12",
        "2025-09",
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_both_sides_are_two_body_structures(version: str) -> None:
    for story, sessions in (("s03-registry-two-sides", 6), ("s10-duplicate-sending", 3)):
        resources = examples.resources_of(stories.EXAMPLES / story / f"bundle.{version}.json")
        assert Counter(r["resourceType"] for r in resources)["BodyStructure"] == sessions


@pytest.mark.parametrize("version", VERSIONS)
def test_a_strength_keeps_the_unit_it_was_typed_in(version: str) -> None:
    text = (stories.EXAMPLES / "s10-duplicate-sending" / f"bundle.{version}.json").read_text()
    assert text.count('"code": "mg"') > 0
    assert text.count('"code": "g"') > 0


def test_both_versions_of_a_foreign_graph_say_the_same() -> None:
    folder = stories.EXAMPLES / "foreign"
    for name in ("records", "refused"):
        r4, r5 = ((folder / f"{name}.{v}.ndjson").read_bytes() for v in VERSIONS)
        assert r4.count(b"\n") == r5.count(b"\n") > 1
    assert (folder / "records.R4.ndjson").read_bytes() == (folder / "records.R5.ndjson").read_bytes()


def test_golden_files_are_not_made_anew_in_ci(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(examples, "EXAMPLES", tmp_path)
    with pytest.raises(SystemExit, match="continuous integration"):
        examples.main([])


def test_golden_files_are_made_anew_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(examples, "EXAMPLES", tmp_path)
    (tmp_path / "one").mkdir()
    line = codec.dumps(records.example("subject"))
    (tmp_path / "one" / "records.ndjson").write_bytes(line + b"\n")
    examples.main([])
    assert b'"Patient"' in (tmp_path / "one" / "bundle.R4.json").read_bytes()
    examples.main(["another"])
