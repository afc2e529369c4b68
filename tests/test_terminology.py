"""The project's own terminology: valid FHIR, complete, traceable, honest about what a standard code means."""

from __future__ import annotations

import csv
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from adapter import catalog

FOLDER = catalog.mappings_path() / "terminology"
FILES = sorted(FOLDER.glob("*.json"))
CATALOG = catalog.load()
SCT, LOINC = "http://snomed.info/sct", "http://loinc.org"
INJECTION = "59108006"


def sources() -> dict[tuple[str, str], dict[str, str]]:
    with (FOLDER / "sources.csv").open(newline="") as f:
        rows = list(csv.DictReader(f))
    assert not [k for k, n in Counter((r["system"], r["code"]) for r in rows).items() if n > 1]
    return {(r["system"], r["code"]): r for r in rows}


def targets() -> dict[tuple[str, str], set[str]]:
    """Displays of every standard code that a ConceptMap writes or reads."""
    out: dict[tuple[str, str], set[str]] = {}
    for m in CATALOG.maps.values():
        for entry in m.entries.values():
            for t in entry:
                if not t.system.startswith(catalog.BASE):
                    out.setdefault((t.system, t.code), set()).add(t.display)
    return out


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_valid_fhir(file: Path) -> None:
    content = json.loads(file.read_text())
    get_fhir_model_class(content["resourceType"]).model_validate(content)
    assert content["status"] == "active"
    assert content["experimental"] is False
    assert {"url", "version", "name", "title", "description"} <= set(content)
    assert content["name"].isalnum(), "a computable name"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_stable_form(file: Path) -> None:
    text = file.read_text()
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_code_systems_are_complete_and_case_sensitive() -> None:
    for name in CATALOG.lists:
        content = json.loads((FOLDER / f"CodeSystem-{name}.json").read_text())
        assert (content["caseSensitive"], content["content"]) == (True, "complete"), name
        assert content["valueSet"] == f"{catalog.BASE}/ValueSet/{name}"


def test_names_are_unique_by_type() -> None:
    names = Counter((c["resourceType"], c["name"]) for c in (json.loads(f.read_text()) for f in FILES))
    assert [n for n, times in names.items() if times > 1] == []


def test_every_list_has_its_value_set() -> None:
    for name, code_list in CATALOG.lists.items():
        assert CATALOG.valuesets[name] == tuple(code_list.codes), name


def test_map_names_begin_with_their_list() -> None:
    for name, m in CATALOG.maps.items():
        assert name.startswith(f"{m.source_list}-"), name
        content = json.loads((FOLDER / f"ConceptMap-{name}.json").read_text())
        assert content["sourceUri"] == f"{catalog.BASE}/ValueSet/{m.source_list}"


# --- standard codes ---


def test_every_standard_code_has_a_source_with_the_same_display() -> None:
    known = sources()
    used = targets()
    assert set(used) == set(known)
    for key, displays in used.items():
        assert displays == {known[key]["display"]}, key
        assert known[key]["source"].strip(), key


VERHOEFF_D = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
]
VERHOEFF_P = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
for _ in range(6):
    VERHOEFF_P.append([VERHOEFF_P[-1][VERHOEFF_P[1][i]] for i in range(10)])


def verhoeff(code: str) -> bool:
    check = 0
    for i, digit in enumerate(reversed(code)):
        check = VERHOEFF_D[check][VERHOEFF_P[i % 8][int(digit)]]
    return check == 0


def loinc_check(code: str) -> bool:
    """Modulus 10, every second digit from the right of the body doubled."""
    body, _, digit = code.partition("-")
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(body)))
    return str(-total % 10) == digit


def test_check_digits_are_checked() -> None:
    assert verhoeff("59108006")
    assert not verhoeff("59108007")
    assert not verhoeff("51908006")
    assert loinc_check("72514-3")
    assert not loinc_check("72514-4")
    assert not loinc_check("75214-3")


def test_check_digits() -> None:
    for (system, code), _ in targets().items():
        if system == SCT:
            assert 6 <= len(code) <= 18, code
            assert verhoeff(code), code
        elif system == LOINC:
            assert loinc_check(code), code


# --- honesty ---


def test_own_code_is_never_narrower_than_what_is_said() -> None:
    """What is written beside an own code may be broader or near, never narrower: that would claim more."""
    for m in CATALOG.maps.values():
        for code, entry in m.entries.items():
            assert all(t.equivalence in ("equivalent", "wider", "inexact") for t in entry), (m.id, code)


def test_a_standard_code_is_equivalent_to_one_own_code_only() -> None:
    """Else a resource by another writer would have two readings."""
    for m in CATALOG.maps.values():
        back = Counter((t.system, t.code) for e in m.entries.values() for t in e if t.equivalence == "equivalent")
        assert [k for k, n in back.items() if n > 1] == [], m.id


def test_technique_has_only_the_broader_code_and_dry_needling_none() -> None:
    entries = CATALOG.maps["technique-sct"].entries
    assert {(t.code, t.equivalence) for e in entries.values() for t in e} == {(INJECTION, "wider")}
    assert entries["nerve_hydrodissection"]
    assert entries["dry_needling"] == entries["sham_injection"] == entries["other"] == ()


def test_icd_only_without_side() -> None:
    entries = CATALOG.maps["condition-icd10cm"].entries
    for code in ("carpal_tunnel", "cubital_tunnel", "piriformis_syndrome", "sciatica"):
        assert entries[code] == (), code
    for entry in entries.values():
        for t in entry:
            assert not any(word in t.display.lower() for word in ("left", "right", "bilateral", "limb")), t


def test_sides() -> None:
    written = CATALOG.maps["laterality-sct"].entries
    assert [t.code for e in written.values() for t in e] == ["7771000", "24028007", "51440002"]
    read = CATALOG.maps["laterality-sct-read"].entries
    assert [t.code for e in read.values() for t in e] == ["419161000", "419465000"]


def test_absent_reasons() -> None:
    entries = CATALOG.maps["absent-reason-data-absent-reason"].entries
    assert {own: [t.code for t in e] for own, e in entries.items()} == {
        "not_in_source": ["unknown"],
        "not_asked": ["not-asked"],
        "refused": ["asked-declined"],
        "unknown": ["asked-unknown"],
        "not_applicable": ["not-applicable"],
        "not_done": ["not-performed"],
        "masked": ["masked"],
        "lost": ["not-performed"],
        "withdrawn": ["not-performed"],
        "technical_failure": ["error"],
    }


@pytest.mark.parametrize(
    "name",
    [
        "performed-status-event-status",
        "performed-status-medication-admin-status",
        "record-status-observation-status",
        "record-status-publication-status",
        "record-status-data-operation",
        "subject-state-research-subject-status",
        "subject-state-research-subject-status-randomised",
        "subject-state-research-subject-state",
        "subject-state-research-subject-state-randomised",
        "study-status-R4",
        "absent-reason-data-absent-reason",
        "sex-administrative-gender",
    ],
)
def test_required_bindings_are_filled_by_one_code_each(name: str) -> None:
    assert {c for c, e in CATALOG.maps[name].entries.items() if len(e) != 1} == set()


def test_withdrawal_depends_on_randomisation() -> None:
    for name in ("status", "state"):
        before = CATALOG.maps[f"subject-state-research-subject-{name}"].entries
        after = CATALOG.maps[f"subject-state-research-subject-{name}-randomised"].entries
        assert {c for c in before if before[c] != after[c]} == {"withdrawn"}
        assert [before["withdrawn"][0].code, after["withdrawn"][0].code] == ["withdrawn", "off-study"]


# --- what records rely on ---

CHECKLIST = {
    "technique": "nerve_hydrodissection fascial_hydrorelease myofascial_hydrodissection"
    " interfascial_hydrodissection dry_needling",
    "therapy-role": "before_surgery alternative adjunct",
    "guidance": "ultrasound mri landmark",
    "operator-role": "physician pain_specialist neurologist researcher",
    "structure": "dorsal_scapular_nerve cluneal_nerve median_nerve ulnar_nerve trigeminal_nerve"
    " occipital_nerve sciatic_nerve trapezius rhomboid pectoral biceps_brachii hamstrings quadriceps"
    " piriformis gluteus_maximus",
    "region": "neck upper_back scapular mid_back low_back forearm gluteal calf foot head",
    "body-site": "upper_back scapular low_back hand finger gluteal hamstrings other",
    "structure-level": "unspecified greater lesser third superior middle inferior C2",
    "entrapment-site": "carpal_tunnel cubital_tunnel",
    "equipment-advice": "hamstring_sleeve none",
    "condition": "myofascial_pain_syndrome gluteus_maximus_mps piriformis_syndrome cluneal_neuropathy"
    " headache migraine tension_type_headache other",
    "symptom": "numbness tingling tenderness taut_band",
    "agent": "dextrose sodium_chloride lidocaine unspecified",
    "agent-class": "local_anaesthetic corticosteroid saline dextrose",
    "timepoint": "baseline screening immediate min10 min30 h1 w1 w2 w4 w12 m1 m3 m6",
    "pain-context": "rest movement palpation sitting worst average least current",
    "recall-period": "now 24h 7d 28d",
    "evidence-maturity": "anecdotal preliminary",
    "design": "retrospective_cohort prospective_rct",
}


@pytest.mark.parametrize("name", CHECKLIST)
def test_the_source_documents_can_be_coded(name: str) -> None:
    assert set(CHECKLIST[name].split()) - set(CATALOG.lists[name].codes) == set()


def test_instruments_agree_with_the_value_sets() -> None:
    for kind in ("pain", "function"):
        have = tuple(c for c, i in CATALOG.instruments.items() if i.kind == kind)
        assert have == CATALOG.valuesets[f"{kind}-instrument"]
    single = [each for i in CATALOG.instruments.values() for each in (i.variants.values() or [i])]
    assert [(i.code, i.unit) for i in single if i.unit != "{score}"] == [
        ("vas_0_100_mm", "mm"),
        ("vas_0_10_cm", "cm"),
        ("rom", "deg"),
        ("ppt", "kPa"),
        ("ncs", "m/s"),
        ("ncs", "ms"),
    ]
    assert {i.direction for i in single} <= set(CATALOG.lists["scale-direction"].codes)
    cm = CATALOG.instruments["vas_0_10_cm"]
    assert (cm.min, cm.max, cm.step) == (Decimal("0"), Decimal("10"), Decimal("0.1"))
    assert CATALOG.instruments["unspecified_validated"].min is None


def test_a_target_has_one_side() -> None:
    assert CATALOG.valuesets["target-laterality"] == ("left", "right", "midline")


def test_a_plane_is_bounded_by_muscles_and_fasciae() -> None:
    muscle, fascia, nerve = (CATALOG.valuesets[f"{k}-structure"] for k in ("muscle", "fascia", "nerve"))
    assert set(CATALOG.valuesets["plane-structure"]) == {*muscle, *fascia}
    assert set(CATALOG.lists["structure"].codes) - {*muscle, *fascia, *nerve} == {"scar_tissue"}
    assert len({*muscle, *fascia, *nerve}) == len(muscle) + len(fascia) + len(nerve)


def test_every_agent_of_an_injectate_has_a_class() -> None:
    classes = CATALOG.maps["agent-agent-class"].entries
    have = {agent for agent, entry in classes.items() if entry}
    assert have == set(CATALOG.valuesets["component-agent"]) - {"unspecified"}
    local = {agent for agent, entry in classes.items() if entry and entry[0].code == "local_anaesthetic"}
    assert local == set(CATALOG.valuesets["local-anaesthetic-agent"])
