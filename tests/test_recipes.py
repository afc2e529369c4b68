"""The recipes of `mappings/README.md`, followed on a copy of the data: what they say is enough, and no Python changes.

A record of the new kind of thing goes to FHIR and back in both versions, and what the data forbid is refused.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter import catalog, codec, records
from adapter.assembly import Assembly, assemble
from adapter.errors import MappingProofError, RecordRefused
from adapter.measures import derive
from adapter.mill import Mill, Stranger
from tests.foreign.writers import LOINC, SCT, aimed, coding, condition, patient, procedure, quantity, score, target
from tests.measures.story import FILLED, values

Edit = Callable[[dict[str, Any]], None]
Record = dict[str, Any]
VERSIONS = ("R4", "R5")
BEFORE, HOUR = "2026-02-18T10:05:00+03:00", "2026-02-18T11:30:00+03:00"


@pytest.fixture
def mappings(tmp_path: Path) -> Iterator[Path]:
    """A copy of the data; afterwards the schemas know the project's own again."""
    folder = tmp_path / "mappings"
    shutil.copytree(catalog.mappings_path(), folder)
    yield folder
    records.configure(catalog.standard())


def edit(folder: Path, name: str, change: Edit) -> None:
    """Change one file of the terminology."""
    file = folder / "terminology" / f"{name}.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def add_line(folder: Path, name: str, before: str, line: str) -> None:
    """A line in a YAML file, before another one."""
    text = (folder / name).read_text()
    assert text.count(before) == 1
    (folder / name).write_text(text.replace(before, f"{line}\n{before}"))


def listed(code: str, display: str, **more: str) -> Edit:
    def change(content: dict[str, Any]) -> None:
        content["concept"].append({"code": code, "display": display, **more})
        content["count"] += 1

    return change


def mapped(own: str, **target: str) -> Edit:
    given = target or {"equivalence": "unmatched", "comment": "No verified code."}
    return lambda content: content["group"][0]["element"].append({"code": own, "target": [given]})


def included(code: str) -> Edit:
    return lambda content: content["compose"]["include"][0]["concept"].append({"code": code})


def made(kind: str, source: str = "r", **changes: Any) -> Record:
    """The example of a kind with changes; None takes a field away."""
    raw = {k: v for k, v in deepcopy(records.example(kind)).items() if k not in FILLED}
    raw |= {"source_record_id": source, "recorded_at": "2027-01-15T12:00:00+03:00", **changes}
    return records.load(kind, {k: v for k, v in raw.items() if v is not None})


def there_and_back(assembly: Assembly, *sent: Record) -> None:
    for version in VERSIONS:
        mill = Mill(assembly, version)
        pool = [codec.loads_wire(data) for record in sent for _, _, data in mill.resources(record)]
        back = {one.record["record_id"]: codec.dumps(one.record) for one in mill.records(pool) if one.record}
        assert back == {record["record_id"]: codec.dumps(record) for record in sent}


def fps_r(folder: Path) -> None:
    """Add an instrument: the revised faces pain scale."""
    edit(folder, "CodeSystem-instrument", listed("fps_r", "Faces pain scale, revised"))
    row = 'fps_r: {kind: pain, min: "0", max: "10", step: "2", direction: lower_better, unit: "{score}"}'
    add_line(folder, "instruments.yaml", "vrs_4: {", row)
    edit(folder, "ConceptMap-instrument-loinc", mapped("fps_r"))
    edit(
        folder,
        "ConceptMap-instrument-observation-category",
        mapped("fps_r", code="survey", display="Survey", equivalence="wider"),
    )
    edit(folder, "ValueSet-pain-instrument", included("fps_r"))


def faces(source: str, code: str, at: str, value: int) -> Record:
    plain = {"timepoint_code": code, "assessed_at": at, "nominal_offset": None, "pct_relief_reported": None}
    return made("pain_outcome", source, instrument="fps_r", score=Decimal(value), **plain)


# -- add an instrument --------------------------------------------------------------------------------------------


def test_a_new_instrument_needs_no_program(mappings: Path) -> None:
    fps_r(mappings)
    assembly = assemble(path=mappings)
    sent = faces("1", "w1", "2026-02-25T10:05:00+03:00", 4)
    assert (sent["scale_min"], sent["scale_max"], sent["direction"]) == (Decimal(0), Decimal(10), "lower_better")
    there_and_back(assembly, sent)


@pytest.mark.parametrize(("value", "rule"), [(5, "V1.step"), (12, "V1.range"), (-2, "V1.range")])
def test_its_bounds_and_steps_are_kept(mappings: Path, value: int, rule: str) -> None:
    fps_r(mappings)
    assemble(path=mappings)
    with pytest.raises(RecordRefused) as refused:
        faces("1", "w1", "2026-02-25T10:05:00+03:00", value)
    assert [(issue.field, issue.rule) for issue in refused.value.issues] == [("score", rule)]


def test_what_follows_from_it_is_derived(mappings: Path) -> None:
    """Reductions and responders; with a threshold in measures.yaml also the change that matters."""
    fps_r(mappings)
    edit(mappings, "CodeSystem-measure", listed("mcid_met-fps-r", "Important change", definition="At least 2"))
    row = '  fps-r: {instrument: fps_r, population: children, change: "2", citation: a test}'
    add_line(mappings, "measures.yaml", "  hit6-chronic-migraine:", row)
    assembly = assemble(path=mappings)
    act = made("procedure", "p", started_at="2026-02-18T10:15:00+03:00", ended_at="2026-02-18T10:27:00+03:00")
    found = derive([act, faces("1", "baseline", BEFORE, 8), faces("2", "h1", HOUR, 2)], catalog=assembly.catalog)
    assert values(found, "pct_reduction") == {"h1": Decimal(75)}
    assert values(found, "responder_50") == {"h1": True}
    assert values(found, "mcid_met-fps-r") == {"h1": True}


def test_a_standard_code_for_it_is_read_from_other_writers(mappings: Path) -> None:
    fps_r(mappings)
    one = {"code": "00000-0", "display": "A code of this test", "equivalence": "equivalent"}

    def coded(content: dict[str, Any]) -> None:
        (row,) = [each for each in content["group"][0]["element"] if each["code"] == "fps_r"]
        row["target"] = [one]

    edit(mappings, "ConceptMap-instrument-loinc", coded)
    assembly = assemble(path=mappings)
    theirs = score({"coding": [coding(LOINC, "00000-0")]}, valueQuantity=quantity(6, "{score}"))
    (taken,) = Mill(assembly, "R4").records([theirs], Stranger("ward-7"))
    assert taken.record is not None
    assert (taken.record["instrument"], taken.record["score"]) == ("fps_r", Decimal(6))


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        ("ConceptMap-instrument-loinc", "ConceptMap-instrument-loinc"),
        ("ValueSet-pain-instrument", "ValueSet 'pain-instrument'"),
    ],
)
def test_a_step_left_out_is_named(mappings: Path, left_out: str, told: str) -> None:
    file = mappings / "terminology" / f"{left_out}.json"
    before = file.read_bytes()
    fps_r(mappings)
    file.write_bytes(before)
    with pytest.raises(Exception, match="fps_r") as stopped:
        assemble(path=mappings)
    assert told in str(stopped.value)


# -- add a code ---------------------------------------------------------------------------------------------------


def nerve(folder: Path, own: str, name: str, **target: str) -> None:
    edit(folder, "CodeSystem-structure", listed(own, name))
    edit(folder, "ConceptMap-structure-sct", mapped(own, **target))
    edit(folder, "ValueSet-nerve-structure", included(own))


def aimed_at(code: str, **more: str) -> Record:
    place = {"target_no": 1, "structure_type": "nerve", "structure_code": code, "region": "thigh", "laterality": "left"}
    place |= {"structure_level": "unspecified", "volume_ml": Decimal("10.0"), **more}
    return made("procedure", technique="nerve_hydrodissection", targets=[place])


def test_a_new_code_travels(mappings: Path) -> None:
    with pytest.raises(RecordRefused):
        aimed_at("saphenous_nerve")
    nerve(mappings, "saphenous_nerve", "Saphenous nerve")
    there_and_back(assemble(path=mappings), aimed_at("saphenous_nerve"))


def test_a_new_code_with_a_standard_code_is_also_read_from_other_writers(mappings: Path) -> None:
    sct = {"code": "1173001", "display": "Structure of mandibular nerve", "equivalence": "equivalent"}
    nerve(mappings, "mandibular_nerve", "Mandibular nerve", **sct)
    assembly = assemble(path=mappings)
    there_and_back(assembly, aimed_at("mandibular_nerve", region="head"))
    for version in VERSIONS:
        pool = [patient(), condition(), procedure(version, extension=aimed("BodyStructure/t-1"))]
        pool.append(target(version, code="1173001"))
        found = {t.found.kind: t.record for t in Mill(assembly, version).records(pool, Stranger("ward-7"))}
        assert found["procedure"] is not None
        assert found["procedure"]["targets"][0]["structure_code"] == "mandibular_nerve"
    assert SCT in codec.dumps(pool).decode()


# -- say the same thing elsewhere in one version ------------------------------------------------------------------


def test_a_copy_in_one_version(mappings: Path) -> None:
    line = '      - {copy: title, path: {R5: "label[0].value"}}'
    add_line(mappings, "fields/study.yaml", "      - {field: title, path: title}", line)
    assembly = assemble(path=mappings)
    sent = made("study")
    there_and_back(assembly, sent)
    written = {v: codec.loads_wire(Mill(assembly, v).resources(sent)[0][2]) for v in VERSIONS}
    assert written["R5"]["label"] == [{"value": sent["title"]}]
    assert "label" not in written["R4"]


def test_a_path_that_the_other_version_does_not_have_is_named(mappings: Path) -> None:
    line = '      - {copy: title, path: "label[0].value"}'
    add_line(mappings, "fields/study.yaml", "      - {field: title, path: title}", line)
    with pytest.raises(MappingProofError, match="ResearchStudy has no element 'label' in R4"):
        assemble(path=mappings)
