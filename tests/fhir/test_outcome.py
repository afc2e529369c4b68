"""What servers say is cut down to what is safe; what we say is a valid OperationOutcome."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import codec, errors
from adapter.errors import HydrofhirError, Issue
from adapter.fhir import outcome
from adapter.fhir.gate import Gate


def said(diagnostics: str, **more: Any) -> dict[str, Any]:
    issue = {"severity": "error", "code": "processing", "diagnostics": diagnostics, **more}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            said("HAPI-1094: Resource Patient/smith-1 not found, specified in path: Observation.subject"),
            "error processing HAPI-1094 Resource not found specified in path Observation.subject",
        ),
        (
            said('HAPI-0450: Failed to parse: [element="birthDate"] Invalid value "1980-13-45"'),
            "error processing HAPI-0450 Failed to parse Invalid value",
        ),
        (said("the value 'John Smith' of 12.5 at a@b.example is wrong"), "error processing the value of at is wrong"),
        (said("cut off quote \"John said it's"), "error processing cut off quote"),
        (said("", expression=["Patient.name[0].family"], code="invalid"), "error invalid Patient.name[0].family"),
        (said("", expression=["Patient.where(name='Smith')"], code="Smith!"), "error"),
        ({"resourceType": "OperationOutcome"}, "an OperationOutcome without words"),
        ({"resourceType": "OperationOutcome", "issue": ["x", {}]}, "an OperationOutcome without words"),
        ({"error": "invalid_client", "error_description": "user Smith"}, "invalid_client"),
        ({"error": "Smith 1980"}, "an answer that is not FHIR"),
        ({"resourceType": "Patient", "name": "Smith"}, "an answer that is not FHIR"),
        ([1], "an answer that is not FHIR"),
        (None, "an answer that is not FHIR"),
        (b"<html><head><title>502 Bad Gateway</title></head>Smith", "an HTML page: bad gateway"),
        (b"<!DOCTYPE html><p>Smith", "an HTML page"),
        (b"upstream connect error", "upstream connect error"),
        (b"", "an answer that is not FHIR"),
        (b"\xff\xfe\x00", "an answer that is not FHIR"),
    ],
)
def test_reading_keeps_only_what_is_safe(body: Any, text: str) -> None:
    assert outcome.read(body) == text
    if isinstance(body, dict):
        assert outcome.read(codec.dumps(body)) == text
        assert outcome.read(codec.dumps(body).decode()) == text


@given(st.text(), st.text(), st.sampled_from(['"', "'", "`"]))
def test_quoted_values_and_numbers_never_come_through(before: str, value: str, quote: str) -> None:
    inner = value.replace(quote, "")
    text = outcome.read(said(f"wrong {quote}marker {inner}{quote} 7{before}"))
    assert "marker" not in text
    assert not any(c.isdigit() for c in text)
    assert len(text) <= outcome.MAX_TEXT


def test_long_and_many_issues_are_cut() -> None:
    body = {"resourceType": "OperationOutcome", "issue": said("word " * 1000)["issue"] * 50}
    assert 0 < len(outcome.read(body)) <= outcome.MAX_TEXT


def test_hapi_codes() -> None:
    assert outcome.hapi_codes(said("HAPI-0550: HAPI-0989: again HAPI-0550")) == ("HAPI-0550", "HAPI-0989")
    assert outcome.hapi_codes(b"HAPI-12345 HAPI-1") == ()


ERRORS: list[HydrofhirError] = [
    errors.RecordRefused([Issue("r-1", "volume_ml", "required", line=4), Issue(None, "", "odd", "5", None, "m")]),
    errors.ResourceRefused([Issue("r-1", "Observation.component[3].value", "choice")]),
    errors.RecordRefused(),
    errors.MappingError("no code", [Issue("r-1", "sex", "code")]),
    errors.MappingError("no code"),
    errors.CodecError("depth"),
    errors.TargetUnavailable("later", 503),
    errors.TargetAuth("no", 401),
    errors.ConfigError(),
    errors.GraphIncomplete("parts"),
]


@pytest.mark.parametrize("version", ["R4", "R5"])
@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_a_valid_outcome(version: str, error: HydrofhirError) -> None:
    made = outcome.of_error(error)
    assert Gate(version).check(made) == []


def test_issues_are_told_one_by_one() -> None:
    first, second = outcome.of_error(ERRORS[0])["issue"]
    assert first["code"] == "required"
    assert first["expression"] == ["volume_ml"]
    assert first["diagnostics"] == "record r-1, line 4"
    assert second["code"] == "invariant"
    assert second["details"]["text"] == "odd: m (limit 5)"
    assert outcome.of_error(ERRORS[6])["issue"][0]["code"] == "transient"
    assert outcome.of_error(ERRORS[7])["issue"][0]["code"] == "security"
    assert outcome.write([])["issue"][0]["severity"] == "information"
