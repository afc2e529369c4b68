"""The catalog: what it reads, and every mistake in `mappings/` that it refuses, by file and entry."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter import catalog
from adapter.errors import ConfigError

SMALL = {
    "CodeSystem": [("colour", ["red", "green", "blue"]), ("instrument", ["nrs"]), ("shade", ["dark"])],
}


def write(folder: Path, resource: dict[str, Any]) -> Path:
    file = folder / f"{resource['resourceType']}-{resource['id']}.json"
    file.write_text(json.dumps(resource))
    return file


def resource(kind: str, name: str, **rest: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": name, "url": f"{catalog.BASE}/{kind}/{name}", **rest}


def system(name: str) -> str:
    return f"{catalog.BASE}/CodeSystem/{name}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small, faultless `mappings/`."""
    folder = tmp_path / "terminology"
    folder.mkdir()
    (tmp_path / "fields").mkdir()
    for name, codes in SMALL["CodeSystem"]:
        concepts = [{"code": c, "display": c.title()} for c in codes]
        write(folder, resource("CodeSystem", name, count=len(codes), concept=concepts))
    all_of = {"include": [{"system": system("colour")}]}
    warm = {"include": [{"system": system("colour"), "concept": [{"code": "red", "display": "Red"}]}]}
    write(folder, resource("ValueSet", "colour", compose=all_of))
    write(folder, resource("ValueSet", "warm-colour", compose=warm))
    red = {"code": "1", "display": "Rouge", "equivalence": "equivalent"}
    green = {"code": "2", "display": "Vif", "equivalence": "wider"}
    none = {"equivalence": "unmatched", "comment": "no such code"}
    elements = [{"code": c, "target": [t]} for c, t in (("red", red), ("green", green), ("blue", none))]
    group = {"source": system("colour"), "target": "urn:fr", "element": elements}
    write(folder, resource("ConceptMap", "colour-fr", group=[group]))
    (tmp_path / "instruments.yaml").write_text(
        'nrs: {kind: pain, min: "0", max: "10", step: "0.1", direction: lower_better, unit: "{score}"}\n'
    )
    (tmp_path / "measures.yaml").write_text("mcid: {}\ndose_limit: {}\nmigraine_day: {}\nchronic: {}\nwindows: {}\n")
    (tmp_path / "extensions.yaml").write_text("doi:\n  title: DOI\n  text: A name.\n")
    (tmp_path / "fields" / "subject.yaml").write_text(
        "# a comment\nrecord: subject\nresources:\n  - type: Patient\n    rows:\n      - {field: sex, path: gender}\n"
    )
    return tmp_path


def edit(file: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


# --- what it reads ---


def test_reads_lists_sets_maps_instruments_and_fields(root: Path) -> None:
    found = catalog.load(root)
    assert found.lists["colour"].codes == {"red": "Red", "green": "Green", "blue": "Blue"}
    assert found.lists["colour"].url == system("colour")
    assert found.valuesets == {"colour": ("red", "green", "blue"), "warm-colour": ("red",)}
    colours = found.maps["colour-fr"]
    assert colours.source_list == "colour"
    assert colours.entries == {
        "red": (catalog.Target("urn:fr", "1", "Rouge", "equivalent"),),
        "green": (catalog.Target("urn:fr", "2", "Vif", "wider"),),
        "blue": (),
    }
    nrs = found.instruments["nrs"]
    assert (nrs.min, nrs.max, nrs.step) == (Decimal("0"), Decimal("10"), Decimal("0.1"))
    assert (nrs.display, nrs.kind, nrs.direction, nrs.unit) == ("Nrs", "pain", "lower_better", "{score}")
    assert found.extensions == {"doi": catalog.ExtensionText("DOI", "A name.", {}, 2)}
    assert found.fields["subject"]["resources"][0]["rows"] == [{"field": "sex", "path": "gender"}]


def test_a_system_of_a_studys_own_words_lists_none(root: Path) -> None:
    opened = resource("CodeSystem", "stratum", content="not-present")
    write(root / "terminology", opened)
    found = catalog.load(root)
    assert found.open_systems == {"stratum"}
    assert "stratum" not in found.lists
    write(root / "terminology", {**opened, "concept": [{"code": "a", "display": "A"}]})
    with pytest.raises(ConfigError, match=r"CodeSystem-stratum\.json: content is not-present: no concept"):
        catalog.load(root)


def test_an_instrument_with_several_scorings(root: Path) -> None:
    (root / "instruments.yaml").write_text(
        "nrs:\n  {kind: function, value: shade, min: null, max: null, step: null, direction: lower_better, unit: null,\n"
        '   items: {count: 2, scores: ["1", "4"]}, needs: [place], sources: {lb: {unit: "[lb_av]", factor: "0.45"}},\n'
        '   by: colour, variants: {red: {min: "1", max: "4", unit: mm, total: mean}, blue: {min: "2", max: "8", total: sum}}}\n'
    )
    tool = catalog.load(root).instruments["nrs"]
    red, blue = tool.of({"colour": "red"}), tool.of({"colour": "blue"})
    assert (red.min, red.max, red.unit, red.total, red.direction) == (
        Decimal("1"),
        Decimal("4"),
        "mm",
        "mean",
        "lower_better",
    )
    assert (blue.max, blue.total, blue.value, blue.needs) == (Decimal("8"), "sum", "shade", ("place",))
    assert tool.of({}) is tool
    assert tool.items is not None
    assert [tool.items.allows(Decimal(n)) for n in (1, 2, 4)] == [True, False, True]
    assert tool.sources["lb"].factor == Decimal("0.45")


def test_rows_know_their_lines(root: Path) -> None:
    subject = catalog.load(root).fields["subject"]
    block = subject["resources"][0]
    assert (subject.line, block.line, block["rows"][0].line) == (2, 4, 6)


def test_frozen(root: Path) -> None:
    found = catalog.load(root)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.version = "other"  # type: ignore[misc]


def test_two_groups_for_one_code_add_up(root: Path) -> None:
    second = {"code": "red", "target": [{"code": "r", "display": "Rot", "equivalence": "equivalent"}]}
    group = {"source": system("colour"), "target": "urn:de", "element": [second]}
    edit(root / "terminology/ConceptMap-colour-fr.json", lambda r: r["group"].append(group))
    red = catalog.load(root).maps["colour-fr"].entries["red"]
    assert [(t.system, t.code) for t in red] == [("urn:fr", "1"), ("urn:de", "r")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0.10", Decimal("0.10")),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:1", "1:1"),
        ("2026-02-18", "2026-02-18"),
        ("010", "010"),
        ("1e3", "1e3"),
        ("0x1F", "0x1F"),
        (".5", ".5"),
        ("7d", "7d"),
        ('"12"', "12"),
    ],
)
def test_yaml_without_surprises(root: Path, text: str, value: Any) -> None:
    (root / "fields" / "subject.yaml").write_text(f"record: {text}\n")
    found = catalog.load(root).fields["subject"]["record"]
    assert (type(found), str(found)) == (type(value), str(value))


def test_version_follows_content(root: Path, tmp_path: Path) -> None:
    first = catalog.load(root).version
    assert catalog.load(root).version == first
    copy = shutil.copytree(root, tmp_path / "elsewhere")
    assert catalog.load(copy).version == first, "the place of the folder does not count"
    for file in ("terminology/ConceptMap-colour-fr.json", "fields/subject.yaml", "instruments.yaml"):
        before = catalog.load(root).version
        with (root / file).open("a") as f:
            f.write("\n")
        assert catalog.load(root).version != before, file


def test_the_projects_own_mappings_load_fast() -> None:
    start = time.perf_counter()
    found = catalog.load()
    assert time.perf_counter() - start < 1.0, "0.04 s on a laptop"
    assert found.path == catalog.mappings_path()
    assert {"record-status", "condition", "structure", "instrument"} <= set(found.lists)


# --- what it refuses ---

MISTAKES: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("CodeSystem-colour", lambda r: r["concept"].append(dict(r["concept"][0])), "code 'red' twice"),
    ("CodeSystem-colour", lambda r: r.update(count=4), "count is not the number of codes, 3"),
    ("CodeSystem-colour", lambda r: r["concept"][1].pop("display"), "code 'green' has no display"),
    (
        "CodeSystem-colour",
        lambda r: r["concept"][1].update(code="light green"),
        "'light green' is not a word",
    ),
    ("CodeSystem-colour", lambda r: r.update(concept=[]), "concept is not a list of objects"),
    ("CodeSystem-colour", lambda r: r.update(id="color"), "id 'color' is not the one in the file name"),
    ("CodeSystem-colour", lambda r: r.update(url="urn:x"), "url is not"),
    ("CodeSystem-colour", lambda r: r.update(resourceType="ValueSet"), "resourceType is not CodeSystem"),
    (
        "ValueSet-warm-colour",
        lambda r: concepts(r)[0].update(code="pink"),
        "code 'pink' is not in list 'colour'",
    ),
    ("ValueSet-warm-colour", lambda r: concepts(r).append(concepts(r)[0]), "code 'red' twice"),
    ("ValueSet-warm-colour", lambda r: concepts(r)[0].update(display="Rood"), "'red': display is not that"),
    ("ValueSet-warm-colour", lambda r: r["compose"].update(exclude=[]), "and nothing else"),
    ("ValueSet-warm-colour", lambda r: include(r).update(filter=[]), "and nothing else"),
    ("ValueSet-warm-colour", lambda r: include(r).update(system="urn:x"), "'urn:x' is not a code list"),
    ("ValueSet-warm-colour", lambda r: r.pop("compose"), "compose.include is not a list"),
    (
        "ConceptMap-colour-fr",
        lambda r: elements(r)[0].update(code="pink"),
        "code 'pink' is not in list 'colour'",
    ),
    ("ConceptMap-colour-fr", lambda r: elements(r).pop(), "code 'blue' of list 'colour' has no entry"),
    ("ConceptMap-colour-fr", lambda r: elements(r).append(elements(r)[0]), "code 'red' twice"),
    ("ConceptMap-colour-fr", lambda r: elements(r)[0].pop("target"), "code 'red': target is not a list"),
    ("ConceptMap-colour-fr", lambda r: target(r, 0).pop("code"), "code 'red': target without code"),
    (
        "ConceptMap-colour-fr",
        lambda r: target(r, 0).pop("display"),
        "code 'red': target without code or display",
    ),
    (
        "ConceptMap-colour-fr",
        lambda r: target(r, 0).update(equivalence="same"),
        "code 'red': equivalence 'same'",
    ),
    ("ConceptMap-colour-fr", lambda r: target(r, 0).update(equivalence="inexact"), "inexact needs a comment"),
    ("ConceptMap-colour-fr", lambda r: target(r, 2).pop("comment"), "code 'blue': unmatched stands alone"),
    ("ConceptMap-colour-fr", lambda r: target(r, 2).update(code="9"), "code 'blue': unmatched stands alone"),
    ("ConceptMap-colour-fr", lambda r: elements(r)[0].update(display="Rood"), "'red': display is not that"),
    ("ConceptMap-colour-fr", lambda r: r["group"][0].pop("target"), "a group has no target system"),
    ("ConceptMap-colour-fr", lambda r: r["group"][0].update(source="urn:x"), "'urn:x' is not a code list"),
    ("ConceptMap-colour-fr", lambda r: r["group"][0].update(target=system("hue")), "is not a code list"),
    ("ConceptMap-colour-fr", lambda r: r["group"][0].update(target=system("shade")), "in list 'shade'"),
]


def include(r: dict[str, Any]) -> Any:
    return r["compose"]["include"][0]


def concepts(r: dict[str, Any]) -> Any:
    return include(r)["concept"]


def elements(r: dict[str, Any]) -> Any:
    return r["group"][0]["element"]


def target(r: dict[str, Any], n: int) -> Any:
    return elements(r)[n]["target"][0]


@pytest.mark.parametrize(("name", "change", "reason"), MISTAKES, ids=[f"{n}: {r}" for n, _, r in MISTAKES])
def test_terminology_mistakes(root: Path, name: str, change: Callable[[dict[str, Any]], Any], reason: str) -> None:
    catalog.load(root)
    edit(root / "terminology" / f"{name}.json", change)
    with pytest.raises(ConfigError) as e:
        catalog.load(root)
    assert str(e.value).startswith(f"terminology/{name}.json: ")
    assert reason in str(e.value)


INSTRUMENTS = [
    ('max: "10"', 'max: "10", maximum: "11"', "line 1: nrs: unknown word 'maximum'"),
    ("kind: pain, ", "", "line 1: nrs: 'kind' is missing"),
    ("kind: pain", "kind: mood", "line 1: nrs: kind is not one of pain, function"),
    ("lower_better", "lower", "line 1: nrs: direction is not one of lower_better, higher_better"),
    ('"{score}"', "null", "line 1: nrs: unit is not a UCUM unit"),
    ('max: "10"', "max: 10", "line 1: nrs: max is not a quoted decimal"),
    ('max: "10"', 'max: "1e1"', "line 1: nrs: max is not a quoted decimal"),
    ('max: "10"', "max: null", "line 1: nrs: min, max and step"),
    ('min: "0"', 'min: "10"', "line 1: nrs: max does not lie above min"),
    ('step: "0.1"', 'step: "0.3"', "line 1: nrs: step does not lead from min to max"),
    ('step: "0.1"', 'step: "0"', "line 1: nrs: step does not lead from min to max"),
    ("kind: pain", "kind: pain, by: colour", "line 1: nrs: by and variants come together"),
    ("kind: pain", "kind: pain, by: hue, variants: {red: {}}", "line 1: nrs: there is no code list 'hue'"),
    (
        "kind: pain",
        "kind: pain, by: colour, variants: {pink: {}}",
        "line 1: nrs: variants: 'pink' is not a code of the list of colour",
    ),
    ("kind: pain", "kind: pain, by: colour, variants: {red: {kind: x}}", "line 1: nrs: red: unknown word 'kind'"),
    (
        "kind: pain",
        'kind: pain, by: colour, variants: {red: {max: "-1"}}',
        "line 1: nrs: red: max does not lie above min",
    ),
    ("kind: pain", "kind: pain, total: median", "line 1: nrs: total is not one of sum, mean, percent"),
    ("kind: pain", "kind: pain, items: {count: 6}", "line 1: nrs: items: count with scores, or count with min and max"),
    ("kind: pain", 'kind: pain, items: {count: "6", scores: ["1"]}', "line 1: nrs: items: count is not a number"),
    ("kind: pain", "kind: pain, items: {count: 6, scores: [1]}", "line 1: nrs: items: scores is not a quoted decimal"),
    ("kind: pain", "kind: pain, needs: joint", "line 1: nrs: needs is not a list of words"),
    ("kind: pain", "kind: pain, subscales: [low]", "line 1: nrs: there is no code list 'subscale'"),
    ("kind: pain", "kind: pain, sources: {lb: {unit: x}}", "line 1: nrs: lb: unit and factor"),
    ("kind: pain", "kind: pain, kind: pain", "line 1: key 'kind' twice"),
    ("nrs:", "vas:", "instrument 'nrs' must be here and in the list 'instrument'"),
    ("nrs: {", "nrs: [", "line 1: "),
    ("nrs: {", "12: {", "line 1: a key is not text"),
    ("nrs: {", "nrs: !!python/object:os.system {", "line 1: "),
]


@pytest.mark.parametrize(("old", "new", "reason"), INSTRUMENTS)
def test_instrument_mistakes(root: Path, old: str, new: str, reason: str) -> None:
    file = root / "instruments.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(ConfigError) as e:
        catalog.load(root)
    assert str(e.value).startswith(f"instruments.yaml: {reason}")


def test_twice_the_same_key_in_json(root: Path) -> None:
    file = root / "terminology/CodeSystem-colour.json"
    file.write_text(file.read_text().replace('"count"', '"id": "colour", "count"'))
    with pytest.raises(ConfigError, match=r"CodeSystem-colour\.json: not JSON: key 'id' twice"):
        catalog.load(root)


def test_twice_the_same_key_in_fields(root: Path) -> None:
    with (root / "fields/subject.yaml").open("a") as f:
        f.write("record: subject\n")
    with pytest.raises(ConfigError, match=r"fields/subject\.yaml: line 7: key 'record' twice"):
        catalog.load(root)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("terminology/CodeSystem-colour.json", b"{", "not JSON"),
        ("terminology/CodeSystem-colour.json", b"[]", "resourceType is not CodeSystem"),
        ("terminology/CodeSystem-colour.json", b"\xff", "cannot be read: UnicodeDecodeError"),
        ("terminology/Codesystem-hue.json", b"{}", "a file here is named"),
        ("fields/subject.yaml", b"- a list\n", "is not a mapping"),
        ("fields/subject.yaml", b"", "is not a mapping"),
        ("fields/subject.yaml", b"a: *b\n", "line 1: "),
        ("instruments.yaml", b"nrs: pain\n", "nrs: is not a mapping"),
        ("extensions.yaml", b"doi: a name\n", "doi: has the words title and text"),
        ("extensions.yaml", b"doi: {title: A, text: B, use: C}\n", "doi: has the words title and text"),
        ("extensions.yaml", b"doi: {title: A, text: B, parts: {of: }}\n", "doi: line 1: title, text and each"),
    ],
)
def test_broken_files(root: Path, name: str, content: bytes, reason: str) -> None:
    (root / name).write_bytes(content)
    with pytest.raises(ConfigError) as e:
        catalog.load(root)
    assert str(e.value).startswith(f"{name}: ")
    assert reason in str(e.value)


def test_missing_parts(root: Path) -> None:
    with pytest.raises(ConfigError, match="no mappings here"):
        catalog.load(root / "fields")
    (root / "terminology/CodeSystem-instrument.json").unlink()
    with pytest.raises(ConfigError, match=r"instruments\.yaml: there is no code list 'instrument'"):
        catalog.load(root)
    (root / "instruments.yaml").unlink()
    with pytest.raises(ConfigError, match=r"instruments\.yaml: cannot be read: FileNotFoundError"):
        catalog.load(root)
