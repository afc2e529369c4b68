"""Breaking one row of a mapping stops the start with file, row and reason. Each case edits a copy of `mappings/`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from adapter import assembly, catalog, records
from adapter.errors import ConfigError, MappingProofError

PAIN = "fields/pain_outcome.yaml"
FUNCTION = "fields/function_outcome.yaml"
AE = "fields/adverse_event.yaml"
DIARY = "fields/headache_day.yaml"
STUDY = "fields/study.yaml"
PROCEDURE = "fields/procedure.yaml"
SHARED = "fields/_shared.yaml"
TEXTS = "extensions.yaml"

CASES = {
    "wrong path": (SHARED, "path: bodySite, via: concept_text", "path: bodySight, via: concept_text", "no element 'bodySight'"),
    "wrong path below": (SHARED, "performer[0].identifier", "performer[0].identity", "no element 'identity'"),
    "not a list": (SHARED, "path: method,", 'path: "method[0]",', "is not a list"),
    "a list": (SHARED, 'path: "partOf[0]"', "path: partOf", "is a list"),
    "wrong type": (PAIN, "path: valueQuantity, via: quantity_by", "path: valueString, via: quantity_by", "is string, but transform"),
    "path of the other version": (STUDY, "R4: individual", "R4: individual", None),
    "forgotten field": (
        PAIN,
        '      - {field: recall_period, path: "component[recall-period].valueCodeableConcept", via: concept, with: recall-period}\n',
        "",
        "field 'recall_period' is neither mapped nor listed under not_sent",
    ),
    "field that does not exist": (SHARED, "field: target_no,", "field: target_number,", "the record has no field 'target_number'"),
    "not written both ways": (PAIN, "{field: recall_period,", "{copy: recall_period,", "field 'recall_period' is neither mapped"),
    "no inverse": (SHARED, "{field: nominal_offset, path: \"component[nominal-offset].valueQuantity\", via: duration}",
                   "{field: nominal_offset, path: \"component[nominal-offset].valueDateTime\", via: date_part}", "has no inverse"),
    "required element unfilled": (PROCEDURE, "      - {copy: [performed_status, record_status], path: status, table: procedure-status}\n", "", "Procedure.status is required and not always filled"),
    "required choice unfilled": (PROCEDURE, "via: when, missing: unknown}", "via: when}", "is required and not always filled"),
    "table not invertible": (STUDY, "    - [exclude, true]", "    - [exclude, false]", "cannot be inverted"),
    "table with a code left out": (SHARED, "    - [cancelled, cancelled]\n", "", "_shared.yaml has no row for record_status = 'cancelled'"),
    "code that the binding forbids": (SHARED, "    - [draft, preliminary]", "    - [draft, provisional]", "'provisional' is not one of its codes"),
    "constant that the binding forbids": (PROCEDURE, "{path: intent, fix: proposal}", "{path: intent, fix: suggestion}", "is not one of its codes"),
    "own coding on a required binding": (
        "fields/enrolment.yaml", "path: subjectState, via: bound", "path: subjectState, via: concept", "has a required binding",
    ),
    "two rows, one element": (SHARED, "path: method, via: concept", "path: code, via: concept", "another row already fills Observation.code"),
    "unknown transform": (PAIN, "via: quantity_by", "via: quantity_bye", "no transform named 'quantity_bye'"),
    "unknown list": (PAIN, "via: concept, with: pain-context", "via: concept, with: pain-contexts", "no code list named"),
    "unknown open system": (STUDY, "via: label, with: stratification-factor", "via: label, with: factor", "no open code system named 'factor'"),
    "unknown ConceptMap": (SHARED, "maps: [body-site-sct]", "maps: [body-site-icd]", "no ConceptMap named"),
    "list too small for the field": (PAIN, "via: concept, with: pain-context", "via: concept, with: recall-period", "is not in code list 'recall-period'"),
    "a unit without its instrument": (FUNCTION, "uses: [instrument, ncs_measure]\n", "uses: []\n", "needs the field of the instrument"),
    "an instrument outside its category map": (
        "terminology/ConceptMap-instrument-observation-category.json", '"code": "rom",\n          "display": "Range of motion"',
        '"code": "gait",\n          "display": "Gait"', "is not in list 'instrument'",
    ),
    "a table of concepts that is to be read": (
        AE, "{copy: /record_status, path: verificationStatus, table: ae-verification, agree: true}", "{field: /record_status, path: verificationStatus, table: ae-verification}", "only for copies",
    ),
    "several lists of a suspicion": (AE, "{list: suspect, maps", "{list: suspects, maps", "no code list named 'suspects'"),
    "an event that is neither serious nor not": (
        AE, '"no": "adverse-event-seriousness|Non-serious|Non-serious"', '"never": "x"', "yes_no takes yes and no",
    ),
    "unknown word": (PAIN, "uses: [instrument]", "use: [instrument]", "unknown word 'use'"),
    "link to nothing": (PROCEDURE, "link: root", "link: rooot", "there is no such part"),
    "two roots": (PAIN, "  - part: guess\n    type", "  - type", "exactly one resource without a part name"),
    "history that is read": (PAIN, "copy: assessor_id", "field: assessor_id", "a block with history has only copies"),
    "history of items": (PAIN, "    history: true", "    history: true\n    each: codes", "a block with history"),
    "words for no extension": (TEXTS, "doi:\n", "isbn: {title: ISBN, text: A number.}\ndoi:\n", "extension 'isbn' is not used"),
    "an extension that nobody explains": (TEXTS, "doi:\n", "the-doi:\n", "extension 'doi' has no text"),
    "a part that nobody explains": (TEXTS, "    kind: Which", "    sort: Which", "part 'kind' of extension 'record' has no text"),
    "a part that is not used": (TEXTS, "    kind: Which", "    sort: What.\n    kind: Which", "part 'sort' of extension 'record' is not used"),
    "a resource that nobody explains": (
        PAIN, "    profile:\n      title: Pain score\n", "    x:\n      title: Pain score\n", "unknown word 'x'",
    ),
    "words of a profile left out": (PAIN, "      title: Pain score\n", "", "profile has the words text, title"),
    "a question that nobody asks": (DIARY, "        headache: Did", "        head: Did", "question 'headache' has no text"),
    "repeated YAML key": (PAIN, "record: pain_outcome\n", "record: pain_outcome\nrecord: pain_outcome\n", "record"),
}  # fmt: skip


def proof(folder: Path) -> None:
    try:
        assembly.assemble(path=folder)
    finally:
        records.configure(catalog.load())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(catalog.mappings_path(), tmp_path / "mappings")
    return tmp_path / "mappings"


def test_the_mappings_as_they_stand_are_proved(folder: Path) -> None:
    proof(folder)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c[3]])
def test_a_broken_row_stops_the_start(name: str, folder: Path) -> None:
    file, old, new, reason = CASES[name]
    text = (folder / file).read_text()
    assert old in text, "the case no longer fits the file"
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises((MappingProofError, ConfigError)) as stopped:
        proof(folder)
    assert file.rpartition("/")[2] in str(stopped.value)
    assert reason in str(stopped.value)
    if isinstance(stopped.value, MappingProofError):
        assert all(row.startswith("line ") for _, row, _ in stopped.value.findings)


def test_an_unmapped_code_stops_the_start(folder: Path) -> None:
    path = folder / "terminology" / "ConceptMap-laterality-sct.json"
    found = json.loads(path.read_text())
    dropped = found["group"][0]["element"].pop()["code"]
    path.write_text(json.dumps(found))
    with pytest.raises((MappingProofError, ConfigError), match=dropped):
        proof(folder)


def test_a_new_code_without_a_concept_map_entry_stops_the_start(folder: Path) -> None:
    path = folder / "terminology" / "CodeSystem-body-site.json"
    found = json.loads(path.read_text())
    found["concept"].append({"code": "left_ear_lobe", "display": "Left ear lobe"})
    found["count"] = len(found["concept"])
    path.write_text(json.dumps(found))
    with pytest.raises((MappingProofError, ConfigError), match="left_ear_lobe"):
        proof(folder)


def test_a_block_without_words_for_its_profile_stops_the_start(folder: Path) -> None:
    file = folder / PAIN
    text = file.read_text()
    start = text.index("    profile:\n")
    file.write_text(text[:start] + text[text.index("    rows:\n") :])
    with pytest.raises(MappingProofError, match=r"pain_outcome\.yaml: line 4: root: .* no title and text"):
        proof(folder)


def test_an_extension_with_the_name_of_a_profile_stops_the_start(folder: Path) -> None:
    for file in (TEXTS, STUDY):
        text = (folder / file).read_text()
        old, new = ("doi:\n", "study-group:\n") if file == TEXTS else ("extension[doi]", "extension[study-group]")
        (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(MappingProofError, match="extension 'study-group' has the name of a profile"):
        proof(folder)


def test_a_kind_without_a_mapping_stops_the_start(folder: Path) -> None:
    (folder / "fields" / "enrolment.yaml").unlink()
    with pytest.raises(MappingProofError, match="enrolment"):
        proof(folder)
