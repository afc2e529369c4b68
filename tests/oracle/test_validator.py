"""HAPI's own validator as judge of what the mappings make and the gate lets through, in both FHIR versions.

It has our definitions (code lists, extensions, profiles, questions), is judge of them too, and takes nothing from the
network: each resource is validated against the profile that it claims. What the gate lets through, the validator accepts;
where it is stricter than the gate, on things that mappings cannot make, `STRICTER` says so. Its warnings are known one by
one. All examples and a trial of 40 subjects are judged (HYDROFHIR_ORACLE_SUBJECTS: so many) with a few derived values of each
formula, or all of them with HYDROFHIR_FULL_ORACLE=1, which takes more of the rest, too.
"""

from __future__ import annotations

import copy
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from adapter import catalog, codec, records, sandbox
from adapter.assembly import assemble
from adapter.errors import CodecError
from adapter.exchange import connect
from adapter.fhir import bundle
from adapter.mill import Mill
from adapter.publish import publish
from adapter.report import Report
from adapter.settings import Target
from tests import stories
from tests.derived import derived_of
from tests.fhir.test_agreement import VALUES
from tests.regenerate_examples import resources_of
from tests.server.conftest import VERSIONS, need_java
from tests.server.kit import corpus
from tests.strategies import make

pytestmark = pytest.mark.server
FULL = os.environ.get("HYDROFHIR_FULL_ORACLE") == "1"
RICH, SPOILT = (60, 1_000) if FULL else (15, 150)
SUBJECTS = int(os.environ.get("HYDROFHIR_ORACLE_SUBJECTS", "40"))
RICHNESS = (1.0, 1.0, 0.7)
PERIOD = "http://hl7.org/fhir/StructureDefinition/Period#per-1"
OURS = re.compile(f"{catalog.BASE}/(StructureDefinition|ValueSet)/").search
NOT_IN_LIST, NOT_IN_LIST_CODING = "Terminology_TX_NoValid_2_CC", "Terminology_TX_NoValid_13"

WARNINGS = {
    # extensible bindings to which we add a coding of our own, or have no standard one
    (NOT_IN_LIST_CODING, "meta.security[]"): "blinding class",
    (NOT_IN_LIST, "Condition.category[]"): "pain component",
    (NOT_IN_LIST, "Consent.category[]"): "consent scope",
    (NOT_IN_LIST, "Consent.policyRule"): "research consent (R4)",
    (NOT_IN_LIST, "Observation.dataAbsentReason"): "our reasons that FHIR's list does not have",
    (NOT_IN_LIST, "Observation.performer[].extension[].value.ofType(CodeableConcept)"): "assessor role",
    (NOT_IN_LIST, "ResearchStudy.primaryPurposeType"): "purposes that FHIR's list does not have",
    (NOT_IN_LIST, "ResearchStudy.comparisonGroup[].type"): "arm types that FHIR's list does not have (R5)",
    ("Terminology_TX_Code_ValueSet_Ext", "ResearchStudy.comparisonGroup[].type"): "an arm without a type (R5)",
    (NOT_IN_LIST, "ResearchStudy.progressStatus[].state"): "states that FHIR's list does not have (R5)",
    ("Terminology_TX_Code_ValueSet_Ext", "ResearchStudy.primaryPurposeType"): "no purpose, only why there is none (R4)",
    (NOT_IN_LIST, "Provenance.activity"): "a cancelled version: FHIR's list has no such activity (R4)",
    # somebody whose role is known and whose id is not
    ("Reference_REF_NoDisplay", "Observation.performer[]"): "assessor without id",
    ("Reference_REF_NoDisplay", "Procedure.performer[].actor"): "operator without id",
    ("http://hl7.org/fhir/StructureDefinition/Identifier#ident-1", "Observation.performer[].identifier"): "the same (R5)",
    # an adverse event that was judged, with nothing named that it could be related to
    ("Reference_REF_NoDisplay", "AdverseEvent.suspectEntity[].instance"): "R4",
    ("Reference_REF_NoDisplay", "AdverseEvent.suspectEntity[].instance.ofType(Reference)"): "R5",
    # a consent document that is named, not sent
    ("TYPE_SPECIFIC_CHECKS_DT_ATT_NO_CONTENT", "Consent.source.ofType(Attachment)"): "R4",
    ("TYPE_SPECIFIC_CHECKS_DT_ATT_NO_CONTENT", "Consent.sourceAttachment[]"): "R5",
    ("http://hl7.org/fhir/StructureDefinition/PlanDefinition#pld-4", "PlanDefinition"): "a time point without its anchor (R5)",
    ("TYPE_SPECIFIC_CHECKS_DT_MARKDOWN_HTML", "ResearchStudy.relatedArtifact[].citation"): "a < in what somebody typed",
}  # fmt: skip

OF_DEFINITIONS = {
    "CONCEPTMAP_GROUP_TARGET_UNKNOWN": "targets in SNOMED CT, LOINC, NCIt ...: not on board",
    "CONCEPTMAP_GROUP_TARGET_INCOMPLETE": "the same, where R5 has a system by name only",
    "SD_BASE_EXPERIMENTAL": "ResearchStudy and others are experimental in R5 themselves",
}

STRICTER = {
    "DUPLICATE_ID": "element ids",
    "Extension_EXT_URL_Absolute": "urls are constants of the mappings",
    "Meta_RES_Security_Duplicate": "the same label twice",
    "Reference_REF_BadTargetType": "Reference.type beside a literal reference",
    "Reference_REF_WrongTarget": "the same",
    "Terminology_PassThrough_TX_Message": "codes of lists: the mappings' proof has seen them",
    "Terminology_TX_NoValid_16": "the same",
    "Terminology_TX_System_Relative": "systems are constants of the mappings",
    "Type_Specific_Checks_DT_Identifier_System": "the same",
    "Type_Specific_Checks_DT_UUID_Valid": "the same",
    "http://hl7.org/fhir/StructureDefinition/Range#rng-2": "ends of a range in two units",
    PERIOD: "in R4, per-1 of a day and its own month has no answer, and HAPI counts that as broken",
}


class Made(NamedTuple):
    """One resource that a mapping made: of which kind of record, its type, id and bytes."""

    kind: str
    type: str
    id: str
    data: bytes


@dataclass
class Bench:
    """One FHIR version: the mill with its gate, and the validator process."""

    version: str
    mill: Mill
    validator: sandbox.Validator

    def made(self, some: list[dict[str, Any]]) -> list[Made]:
        return [Made(record["kind"], *part) for record in some for part in self.mill.resources(record)]

    def judge(self, made: list[Made]) -> Iterator[tuple[Made, sandbox.Finding]]:
        for one, findings in zip(made, self.validator.check_many(m.data for m in made), strict=True):
            for finding in findings:
                yield one, finding


@pytest.fixture(scope="module", params=VERSIONS)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    need_java()
    folder = tmp_path_factory.mktemp("definitions")
    target = Target(name="definitions", fhir=request.param, folder=folder)
    report = publish(assemble(), connect(target), Report("definitions"))
    assert report.exit_code == 0
    with sandbox.Validator(request.param, folder, timeout=600, heap="2g", c2=True) as validator:
        yield Bench(request.param, Mill(assemble(), request.param), validator)


def rich() -> list[dict[str, Any]]:
    """Arbitrary valid records with most of their fields, always the same ones."""
    return [
        records.load(kind, make(kind, 7919 * n + 13, RICHNESS[n % len(RICHNESS)]))
        for kind in records.KNOWN
        for n in range(RICH)
    ]


def generated() -> list[dict[str, Any]]:
    """A trial and a registry, and what follows from their records: of each formula a few values."""
    some, of = corpus(SUBJECTS, 7, 10), Counter[tuple[str, bool]]()
    for one in derived_of(some):
        of[one["formula"], "undefined" in one] += 1
        if of[one["formula"], "undefined" in one] <= (10_000 if FULL else 4):
            some.append(one)
    return some


def told() -> list[dict[str, Any]]:
    """The records that each story comes to."""
    return [record for story in stories.stories() for record in stories.played(story)[-1].kept.values()]


SOURCES: dict[str, Callable[[], list[dict[str, Any]]]] = {"generated": generated, "arbitrary": rich, "examples": told}


@pytest.mark.parametrize("source", SOURCES)
def test_what_the_mappings_make_is_valid(bench: Bench, source: str) -> None:
    made = bench.made(SOURCES[source]())
    errors: Counter[tuple[str, ...]] = Counter()
    warnings: Counter[tuple[str, ...]] = Counter()
    for one, finding in bench.judge(made):
        if finding.is_error:
            errors[one.type, finding.message_id, finding.location, finding.message] += 1
        elif finding.severity == "warning":
            warnings[finding.message_id, place_of(finding)] += 1
    told = f"{len(made)} resources, {errors.total()} errors; warnings: {warnings}"
    print(f"\n{bench.version} {source}: {told}")
    assert errors == {}
    assert warnings.keys() - WARNINGS.keys() == set(), "warnings that nobody has looked at"


def test_what_others_wrote_in_the_examples_is_valid(bench: Bench) -> None:
    """They claim no profile of ours, and need none."""
    found = [r for story in stories.foreign_stories() for r in resources_of(story / f"bundle.{bench.version}.json")]
    errors = [
        (resource["resourceType"], finding.message_id, finding.location)
        for resource, findings in zip(found, bench.validator.check_many(map(codec.dumps, found)), strict=True)
        for finding in findings
        if finding.is_error
    ]
    assert found
    assert errors == []


# -- our definitions ------------------------------------------------------------------------------------------------
def test_our_definitions_are_valid(bench: Bench) -> None:
    """One Bundle for each type: what the validator loads to judge an extension, it then loads once."""
    made = assemble().definitions(bench.version)
    for kind in dict.fromkeys(one["resourceType"] for one in made):
        mine = [one for one in made if one["resourceType"] == kind]
        findings = bench.validator.check(codec.dumps(bundle.collection(mine)))
        errors = [(f.message_id, f.location, f.message) for f in findings if f.is_error]
        warnings = Counter(f.message_id for f in findings if f.severity == "warning")
        print(f"\n{bench.version} {kind}: {len(mine)}, {len(errors)} errors; warnings: {dict(warnings)}")
        assert errors == []
        assert warnings.keys() - OF_DEFINITIONS.keys() == set(), "warnings that nobody has looked at"


def place_of(finding: sandbox.Finding) -> str:
    place = re.sub(r"\[\d+\]", "[]", finding.location)
    return place.partition(".")[2] if place.endswith(".meta.security[]") else place


# -- the other direction: what the gate refuses, and what it must not refuse less than HAPI -----------------------------
def change(path: str, value: Any) -> Any:
    """Set (or with None remove) one element of a resource: ``status``, ``code.coding.0.code``."""

    def apply(resource: dict[str, Any]) -> None:
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        place: Any = resource
        for step in way:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return apply


BROKEN = {
    "required element": ("Observation", change("status", None)),
    "required code": ("Observation", change("status", "done")),
    "required choice": ("MedicationAdministration", change("dosage", {"route": {"text": "by needle"}})),
    "unknown element": ("Procedure", change("complications", [])),
    "empty object": ("Procedure", change("note", [{}])),
    "value and reason for none": ("Observation", change("dataAbsentReason", {"text": "lost"})),
    "two values": ("Observation", change("valueString", "six")),
    "a day that is none": ("Patient", change("birthDate", "1980-02-30")),
    "a time without a zone": ("Observation", change("effectiveDateTime", "2025-01-02T10:00:00")),
    "a number as text": ("Observation", change("valueQuantity.value", "6")),
    "a list where one belongs": ("Observation", change("code", [{"text": "pain"}])),
    "a reference to the wrong type": ("Observation", change("subject.reference", "Observation/x")),
    "an id too long": ("Patient", change("id", "x" * 65)),
    "a contained one nobody points at": ("Patient", change("contained", [{"resourceType": "Device", "id": "d"}])),
}
OF_THE_OTHER = {
    "R4": ("Procedure", change("occurrenceDateTime", "2025-01-02")),
    "R5": ("Procedure", change("performedDateTime", "2025-01-02")),
}


def extension(name: str, **value: Any) -> Any:
    """Put another value into an extension of ours."""

    def apply(resource: dict[str, Any]) -> None:
        found = next(e for e in resource["extension"] if e["url"].endswith(f"/{name}"))
        url = found["url"]
        found.clear()
        found.update({"url": url, **value})

    return apply


def without_record(resource: dict[str, Any]) -> None:
    resource["extension"] = [e for e in resource["extension"] if not e["url"].endswith("/record")]


def elsewhere(resource: dict[str, Any]) -> None:
    """An extension of procedures where it does not belong."""
    url = f"{catalog.BASE}/StructureDefinition/session-number"
    resource["extension"].append({"url": url, "valuePositiveInt": 1})


OF_A_PROFILE = {
    "text where the extension says boolean": ("Procedure", extension("injectate-stated", valueString="yes"), "injectate-stated"),
    "a code that is not in the list": ("Procedure", extension("therapy-role", valueCodeableConcept={"coding": [
        {"system": f"{catalog.BASE}/CodeSystem/therapy-role", "code": "none_such"}]}), "therapy-role"),
    "an extension without its value": ("Procedure", extension("injectate-stated", valueBoolean=None), "injectate-stated"),
    "an extension where it does not belong": ("Observation", elsewhere, "session-number"),
    "no record extension": ("Observation", without_record, "pain-outcome"),
    "no time of issue": ("Observation", change("issued", None), "pain-outcome"),
    "no category": ("Observation", change("category", None), "pain-outcome"),
    "another category": ("Observation", change("category.0.coding.0.code", "exam"), "pain-outcome"),
    "a value of another type": ("Observation", lambda r: r.update(valueString=str(r.pop("valueQuantity"))), "pain-outcome"),
    "a profile that nobody knows": ("Observation", change("meta.profile.0", f"{catalog.BASE}/StructureDefinition/none-such"), "none-such"),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_A_PROFILE)
def test_a_profile_that_is_not_kept_is_an_error(bench: Bench, scores: list[dict[str, Any]], name: str) -> None:
    """Else valid would say little."""
    kind, apply, named = OF_A_PROFILE[name]
    made = [m for m in bench.made(scores) if m.type == kind and m.kind in ("procedure", "pain_outcome")]
    sound = next(m for m in made if (_is_score(m) if kind == "Observation" else named.encode() in m.data))
    resource = codec.loads_wire(sound.data)
    assert [f for f in bench.validator.check(sound.data) if f.is_error] == []
    apply(resource)
    errors = [f.message for f in bench.validator.check(codec.dumps(_filled(resource))) if f.is_error]
    assert errors
    assert any(named in message for message in errors), errors


def _filled(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _filled(v) for k, v in node.items() if v is not None}
    return [_filled(v) for v in node] if isinstance(node, list) else node


@pytest.fixture(scope="module")
def scores() -> list[dict[str, Any]]:
    return corpus(2, 7, 4)


@pytest.mark.parametrize("name", [*BROKEN, "the other version's element"])
def test_what_is_broken_the_gate_refuses_as_the_validator_does(
    bench: Bench, scores: list[dict[str, Any]], name: str
) -> None:
    kind, apply = BROKEN[name] if name in BROKEN else OF_THE_OTHER[bench.version]
    sound = next(m for m in bench.made(scores) if m.type == kind and (kind != "Observation" or _is_score(m)))
    resource = codec.loads_wire(sound.data)
    resource["meta"].pop("profile")  # with a claim HAPI does not look at time zones in R5
    apply(resource)
    assert bench.mill.gate.check(sound.data) == []
    assert bench.mill.gate.check(codec.dumps(resource)) != []
    assert any(f.is_error for f in bench.validator.check(codec.dumps(resource)))


def _is_score(made: Made) -> bool:
    return (
        made.kind == "pain_outcome" and b'"valueQuantity":{"value"' in made.data and b'"effectiveDateTime"' in made.data
    )


def test_the_validator_knows_our_codes(bench: Bench, scores: list[dict[str, Any]]) -> None:
    """Else it would prove less than it seems to."""
    score = next(m for m in bench.made(scores) if _is_score(m))
    resource = codec.loads_wire(score.data)
    own = next(c for c in resource["code"]["coding"] if c["system"].startswith(catalog.BASE))
    own["code"] = "nrs_0_11"
    assert any(f.is_error and "nrs_0_11" in f.message for f in bench.validator.check(codec.dumps(resource)))


def test_spoilt_resources_that_the_gate_lets_through_are_valid_too(bench: Bench) -> None:
    """One thing changed at random, again and again; what passes the gate goes to the validator."""
    chance = random.Random(bench.version)
    pool = bench.made([records.load(kind, make(kind, n, 0.7)) for kind in records.KNOWN for n in range(6)])
    passed: list[Made] = []
    tried = 0
    while len(passed) < SPOILT:
        sound = chance.choice(pool)
        resource = codec.loads_wire(sound.data)
        del resource["meta"]["profile"]  # what our definitions ask for beyond FHIR is no business of the gate
        plain = codec.dumps(resource)
        spoil(resource, chance)
        tried += 1
        try:
            data = codec.dumps(resource)
        except CodecError:
            continue
        if data != plain and not bench.mill.gate.check(data):
            passed.append(sound._replace(data=data))
    assert tried > 2 * SPOILT, "the gate lets nearly everything through"
    worse = [
        (one.type, finding.message_id, finding.location, finding.message)
        for one, finding in bench.judge(passed)
        if finding.is_error and finding.message_id not in STRICTER and not OURS(finding.message)
    ]
    assert worse == []


def spoil(resource: dict[str, Any], chance: random.Random) -> None:
    spots = [spot for spot in _spots(resource) if spot[-1] != "resourceType"]
    *way, last = chance.choice(spots)
    place: Any = resource
    for step in way:
        place = place[step]
    match chance.choice(["replace", "replace", "remove", "double"]):
        case "replace":
            place[last] = copy.deepcopy(chance.choice(VALUES))
        case "remove":
            del place[last]
        case "double" if isinstance(place, list):
            place.append(copy.deepcopy(place[last]))


def _spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in steps:
        yield from _spots(child, (*path, step))
