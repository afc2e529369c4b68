"""What a pull asks a real server for: one study, what was touched, everything, and what others wrote."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapter.errors import ConfigError
from adapter.scope import Scope, stranger_of
from tests.server.kit import Place, Record, amended, corpus, of_subjects, texts

pytestmark = pytest.mark.server
ZONE = "Europe/Vienna"
MOST = 2_000  # patients; more than that is not our sandbox, and not ours to read whole


def subjects(some: list[Record]) -> list[str]:
    return list(dict.fromkeys(r["subject_id"] for r in some if "subject_id" in r))


def test_one_study_and_its_participants(place: Place) -> None:
    ours, other = corpus(2, 31, 1), corpus(2, 32, 0)
    assert place.push(place.store("all", [*ours, *other])).exit_code == 0
    study = next(r["study_id"] for r in ours if r["kind"] == "study")
    enrolled = [r["subject_id"] for r in ours if r["kind"] == "enrolment"]
    assert set(enrolled) < set(subjects(ours)), "a registry patient is in no study"
    report, got = place.pull(place.store("study"), Scope(study=study))
    assert report.issues == []
    expected = [r for r in ours if r["kind"] == "study"] + of_subjects(ours, enrolled)
    assert texts(got) == texts(expected)


def test_a_study_that_is_not_there(place: Place) -> None:
    with pytest.raises(ConfigError, match="no study of this id"):
        place.pull(place.store("none"), Scope(study="NOBODY-HAS-THIS"))


def test_since_reads_the_whole_graph_of_every_subject_touched(place: Place) -> None:
    records = corpus(2, 21, 2)
    store, mirror = place.store("source", records), place.store("mirror")
    assert place.push(store).exit_code == 0
    place.pull(mirror)
    touched = next(r for r in records if r["kind"] == "pain_outcome" and "study_id" in r)
    new = amended(touched, pct_relief_reported=30)
    now = [new if r is touched else r for r in records]
    mark = _after_the_last(place)
    place.take_in(store, [new])
    assert place.push(store).counts["sent"] == 1

    report, got = place.pull(place.store("since"), Scope(since=mark))
    assert report.issues == []
    assert texts(got) == texts(of_subjects(now, [new["subject_id"]]))

    report, _ = place.pull(mirror, Scope(since="last"))
    assert (report.counts["changed"], report.counts["new"]) == (1, 0), report.as_dict()
    assert {(s.kind, s.key): s.body for s in mirror.iter_records()} == {
        (s.kind, s.key): s.body for s in store.iter_records()
    }


def test_since_with_nothing_touched_reads_nothing(place: Place) -> None:
    assert place.push(place.store("source", corpus(0, 22, 1))).exit_code == 0
    report, got = place.pull(place.store("since"), Scope(since=_after_the_last(place)))
    assert (got, report.exit_code) == ([], 0)


def test_a_touched_study_is_read_again(place: Place) -> None:
    records = corpus(1, 23, 0)
    store = place.store("source", records)
    assert place.push(store).exit_code == 0
    mark = _after_the_last(place)
    study = next(r for r in records if r["kind"] == "study")
    new = amended(study, title="The title is longer now")
    place.take_in(store, [new])
    place.push(store)
    _, got = place.pull(place.store("since"), Scope(since=mark))
    assert texts(got) == texts([new])


def test_other_name_spaces_are_not_read(place: Place, places: Any) -> None:
    """Two installations on one server: each reads its own, by default."""
    neighbour = places(place.version, place.base)
    records = corpus(0, 41, 1)
    for one in (place, neighbour):
        assert one.push(one.store("mine", records)).exit_code == 0
    assert set(place.there()).isdisjoint(neighbour.there())
    _, got = place.pull(place.store("back"))
    assert texts(got) == texts(records)


def test_all_also_takes_what_others_wrote(place: Place, small: bool) -> None:
    """Standard codes only, ids given by the server. What has no single answer is refused, with the reason."""
    total = place.ask("GET", "Patient?_summary=count").json().get("total", 0)
    if small or total > MOST:
        pytest.skip("the server is not ours alone")
    records = corpus(0, 51, 1)
    assert place.push(place.store("mine", records)).exit_code == 0
    patient = place.create(foreign_patient())
    score = place.create(foreign_score(patient))
    half = place.create(foreign_score(patient, "6.50"))
    vague = place.create(foreign_procedure(patient, place.version))
    other = place.create({**foreign_score(patient), "code": {"coding": [{"system": LOINC, "code": "718-7"}]}})

    _, got = place.pull(place.store("default"))
    assert texts(got) == texts(records), "by default what others wrote stays theirs"

    report, got = place.pull(place.store("all"), Scope(all=True), timezone=ZONE)
    assert texts(got).items() >= texts(records).items()
    source = stranger_of(place.target()).source
    by_source = {r["source_record_id"]: r for r in got if r["source_system"] == source}
    subject, pain = by_source[f"Patient/{patient}"], by_source[f"Observation/{score}"]
    assert (subject["kind"], subject["birth_year"], subject["site_id"]) == ("subject", 1980, "CLINIC-9")
    assert subject["sex"] == "female"
    assert (pain["kind"], pain["instrument"], str(pain["score"])) == ("pain_outcome", "nrs_0_10", "6")
    assert pain["subject_id"] == subject["subject_id"]
    assert pain["assessed_at"] == "2025-01-02T10:00:00+01:00"
    assert (pain["site_timezone"], pain["blinding_class"]) == (ZONE, "allocation")
    assert pain["field_absent_reason"]["anchor_procedure_id"] == "not_in_source"
    assert f"Observation/{other}" not in by_source
    reasons = {(i.record, i.field, i.rule) for i in report.issues}
    assert (f"Procedure/{vague}", "technique", "ambiguous") in reasons
    assert (f"Observation/{half}", "score", "V1.step") in reasons, "the scale has whole numbers only"
    assert {f"Procedure/{vague}", f"Observation/{half}"}.isdisjoint(by_source)


def _after_the_last(place: Place) -> str:
    newest = max(datetime.fromisoformat(r["meta"]["lastUpdated"]) for r in place.there().values())
    return (newest + timedelta(milliseconds=1)).isoformat(timespec="milliseconds")


LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"


def foreign_patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "gender": "female",
        "birthDate": "1980-05-04",
        "managingOrganization": {"identifier": {"system": "urn:example:clinics", "value": "CLINIC-9"}},
    }


def foreign_score(patient: str, value: str = "6") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "72514-3"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2025-01-02T10:00:00+01:00",
        "valueQuantity": {"value": Decimal(value), "system": "http://unitsofmeasure.org", "code": "{score}"},
    }


def foreign_procedure(patient: str, version: str) -> dict[str, Any]:
    """An injection, and no more: it may have been any technique."""
    when = {"R4": "performedDateTime", "R5": "occurrenceDateTime"}[version]
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": {"coding": [{"system": SNOMED, "code": "59108006"}]},
        "subject": {"reference": f"Patient/{patient}"},
        when: "2025-01-02",
    }
