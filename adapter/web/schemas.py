"""Query parameters and answers as marshmallow schemas. Parameters are checked by them; answers only described, because
they are written with exact decimals. Record kinds are described by their own schemas (see `docs`).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from adapter.settings import FHIR_VERSIONS

PROBLEM_BASE = "https://hydrofhir.example/problem"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_KEY = r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}"


def _pattern(pattern: str, words: str) -> Any:
    return validate.And(validate.Length(max=64), validate.Regexp(rf"(?:{pattern})\Z", flags=re.ASCII, error=words))


def _zone(value: str) -> None:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValidationError("an IANA time zone name such as Europe/Vienna") from None


def _since(value: str) -> None:
    if value == "last":
        return
    try:
        aware = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        aware = False
    if not aware or "T" not in value:
        raise ValidationError("last, or an instant with a time zone such as 2026-02-16T09:00:00+01:00 (+ sent as %2B)")


class Strict(Schema):
    """Parameters that are not known are refused."""

    class Meta:
        unknown = RAISE


class Version(Strict):
    fhir = fields.String(
        required=True,
        validate=validate.OneOf(FHIR_VERSIONS, error="R4 or R5"),
        metadata={"description": "FHIR version of the resources"},
    )


class UnmapQuery(Version):
    foreign = fields.String(
        validate=_pattern(_NAME, "letters, digits and . _ -"),
        metadata={
            "description": "Read resources of other writers too, and name this system as the source of their records"
        },
    )
    timezone = fields.String(
        load_default="UTC",
        validate=_zone,
        metadata={"description": "Time zone of the site, for records of other writers"},
    )


class TargetQuery(Strict):
    target = fields.String(
        required=True, metadata={"description": "Name of a configured target; never an address or a path"}
    )


class PullQuery(TargetQuery):
    study = fields.String(
        validate=_pattern(_KEY, "letters, digits and . _ : / -"),
        metadata={"description": "One study and its participants only (study_id)"},
    )
    since = fields.String(
        validate=_since,
        metadata={"description": "Only subjects touched since this instant, or since the last complete pull: last"},
    )
    limit = fields.Integer(
        validate=validate.Range(min=1, error="1 or more"),
        metadata={"description": "Most records in the answer; not above the service's own limit"},
    )


class Issue(Schema):
    """One reason why something was refused; never a value."""

    record = fields.String(metadata={"description": "Record id, or Type/id of a resource"})
    field = fields.String(metadata={"description": "Field path, items counted from 1, or FHIR element path"})
    rule = fields.String(required=True, metadata={"description": "Stable name of the broken rule"})
    limit = fields.String(metadata={"description": "The bound that was broken"})
    line = fields.Integer(metadata={"description": "Line of the input, from 1"})
    message = fields.String()


class Problem(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True, metadata={"description": f"{PROBLEM_BASE}/ and the kind of problem"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String()
    instance = fields.String(metadata={"description": "urn:uuid of the incident, for unexpected errors"})
    incident = fields.String(metadata={"description": "The incident id that the log has"})
    issues = fields.List(fields.Nested(Issue), required=True)
    request_id = fields.String(required=True)
    report = fields.Dict(metadata={"description": "What a journey had done before it failed"})


class Report(Schema):
    """What a journey has done."""

    journey = fields.String(required=True)
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={
            "description": "Counts above zero by name: read, refused, new, unchanged, sent, rejected, waiting ..."
        },
    )
    seconds = fields.Float(required=True)
    issues = fields.List(fields.Nested(Issue), required=True, metadata={"description": "The first 50"})
    flags = fields.List(
        fields.Nested(Issue), metadata={"description": "What there is to say of records that were kept; the first 50"}
    )
    unfinished = fields.String(metadata={"description": "Why there is more to do, and what to do"})


def _any(name: str, many: str) -> fields.List:
    item = fields.Raw(metadata={"allOf": [{"$ref": f"#/components/schemas/{name}"}]})
    return fields.List(item, required=True, metadata={"description": many})


class Mapped(Schema):
    """Resources, and why records were refused."""

    resources = _any("Resource", "A record's resources together, its root first")
    refused = fields.List(fields.Nested(Issue), required=True)


class Unmapped(Schema):
    """Records, and why resources were refused."""

    records = _any("Record", "Validated records")
    refused = fields.List(fields.Nested(Issue), required=True)


class Pulled(Schema):
    """Records that were read, kept in the store too."""

    records = _any("Record", "Validated records, at most the limit asked for")
    report = fields.Nested(Report, required=True)


class Health(Schema):
    status = fields.String(required=True, validate=validate.OneOf(["ok", "degraded"]))
    store = fields.String(required=True, validate=validate.OneOf(["ok", "unreachable"]))
    version = fields.String(required=True)
    mapping = fields.String(required=True, metadata={"description": "Digest of the mappings in use"})
    fhir = fields.List(fields.String(), required=True)
