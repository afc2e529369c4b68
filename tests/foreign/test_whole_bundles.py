"""Whole Bundles as other systems write them, through the command: a patient summary, and the answer to a search."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from adapter import codec
from adapter.commands import hydrofhir
from tests.foreign.writers import (
    HL7,
    ICD,
    LOINC,
    RXNORM,
    SCT,
    allergy,
    coding,
    concept,
    condition,
    patient,
    quantity,
    resource,
    score,
    weight,
)

LOCAL = "urn:uuid:5d0c2c3e-68ad-4f0f-8fc8-1f5a2cb6c7"
HERE = {"reference": f"{LOCAL}01"}
US = "http://hl7.org/fhir/us/core/StructureDefinition"


@pytest.fixture(autouse=True)
def nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDROFHIR_CONFIG", raising=False)
    monkeypatch.setenv("HYDROFHIR_STATE", str(tmp_path / "state"))


def unmapped(tmp_path: Path, bundle: dict[str, Any], version: str) -> tuple[int, list[dict[str, Any]], str]:
    (tmp_path / "in.json").write_bytes(codec.dumps_pretty(bundle))
    words = ["unmap", tmp_path / "in.json", "--fhir", version, "--out", tmp_path / "out.ndjson", "--foreign", "ward-7"]
    told = CliRunner().invoke(hydrofhir, [str(word) for word in words], prog_name="hydrofhir")
    lines = (tmp_path / "out.ndjson").read_text().splitlines()
    return told.exit_code, [json.loads(line) for line in lines], told.stderr


def summary(v: str, *more: dict[str, Any]) -> dict[str, Any]:
    """A document in the manner of the International Patient Summary: local names, a Composition, narrative."""
    who = patient(
        id=None, meta=None, name=[{"family": "Test", "given": ["Summary"]}], address=[{"country": "AT"}],
        identifier=[{"system": "urn:oid:1.2.3.4", "value": "4711"}], text={"status": "generated", "div": "<div/>"},
    )  # fmt: skip
    pain = condition(
        {"coding": [coding(ICD, "G56.01"), *concept(SCT, "57406009")["coding"]], "text": "CTS"}, id=None, subject=HERE,
        category=[concept(LOINC, "75326-9")], bodySite=[concept(SCT, "8205005", "24028007")], onsetDateTime="2025",
        severity=concept(LOINC, "LA6751-7"),
    )  # fmt: skip
    head = {
        "status": "final", "type": concept(LOINC, "60591-5"), "date": "2026-03-01", "title": "Summary",
        "author": [{"reference": f"{LOCAL}01"}], "subject": HERE if v == "R4" else [HERE],
        "section": [{"title": "Problems", "entry": [{"reference": f"{LOCAL}02"}]}],
    }  # fmt: skip
    inside = [resource("Composition", "doc", head), who, pain, allergy(concept(RXNORM, "6387"), patient=HERE), *more]
    entries = [{"fullUrl": f"{LOCAL}{n:02}", "resource": one} for n, one in enumerate(inside)]
    return {"resourceType": "Bundle", "type": "document", "timestamp": "2026-03-01T10:00:00Z", "entry": entries}


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_a_patient_summary(tmp_path: Path, version: str) -> None:
    bundle = summary(version)
    bundle["entry"][1]["resource"]["meta"] = {"lastUpdated": "2026-03-01T10:00:00Z"}
    code, (subject,), _ = unmapped(tmp_path, bundle, version)
    assert code == 0
    assert subject["subject_id"] == LOCAL.removeprefix("urn:uuid:") + "01"
    assert subject["allergies"] == ["lidocaine"]
    (one,) = subject["conditions"]
    told = [one[name] for name in ("condition_code", "condition_text", "body_site", "laterality", "onset")]
    assert told == ["carpal_tunnel", "CTS", "wrist", "right", "2025"]


def test_a_summary_that_says_when_nothing_was_written(tmp_path: Path) -> None:
    """Local names and no server: nobody knows when the Patient was recorded, so it is refused and named."""
    code, found, told = unmapped(tmp_path, summary("R4"), "R4")
    assert (code, found) == (1, [])
    assert "recorded_at" in told
    assert "Summary" not in told


def test_a_summary_with_another_allergy(tmp_path: Path) -> None:
    """Penicillin is not of our list: a subject without its allergy would be another subject."""
    penicillin = allergy(concept(SCT, "764146007"), id="a-2", patient=HERE)
    code, found, told = unmapped(tmp_path, summary("R4", penicillin), "R4")
    assert (code, found) == (1, [])
    assert "allergies" in told


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_the_answer_to_a_search_as_us_core_has_it(tmp_path: Path, version: str) -> None:
    race = {"url": f"{US}/us-core-race", "extension": [{"url": "text", "valueString": "not stated"}]}
    named = {"profile": [f"{US}/us-core-patient"], "lastUpdated": "2026-03-01T10:00:00Z"}
    found = [
        patient(meta=named, extension=[race], identifier=[{"system": "https://ward.example/mrn", "value": "77"}]),
        weight("70.5"),
        score(category=[concept(f"{HL7}/observation-category", "survey")], performer=[{"reference": "Practitioner/9"}]),
        score("8867-4", rid="pulse", valueQuantity=quantity(70, "/min")),
        resource("Practitioner", "9", {}),
        resource("OperationOutcome", "o", {"issue": [{"severity": "information", "code": "informational"}]}),
    ]
    entries = [{"fullUrl": f"https://ward.example/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in found]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries}
    code, records, told = unmapped(tmp_path, bundle, version)
    assert (code, told.count("refused")) == (0, 0), told
    by_kind = {one["kind"]: one for one in records}
    assert set(by_kind) == {"subject", "pain_outcome"}
    assert by_kind["subject"]["weight_kg"] == 70.5
    assert by_kind["pain_outcome"]["assessor_id"] == "9"
