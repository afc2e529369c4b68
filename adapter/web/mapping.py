"""Records to resources and back, without the store: ``/v1/map`` and ``/v1/unmap``.

Whatever can be done is done and answered with 200, what was refused is named beside it; 422 when nothing was left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import RAISE

from adapter import codec, records
from adapter.errors import Issue, Skip
from adapter.mill import Mill, Part, Stranger
from adapter.records.intake import Entry
from adapter.web import answers, bodies, docs, schemas
from adapter.web.errors import Problem, too_large
from adapter.web.negotiation import FHIR, FHIR_NDJSON, JSON, NDJSON
from adapter.web.parts import current

blp = Blueprint(
    "mapping", __name__, url_prefix="/v1", description="Records to FHIR resources and back; nothing is kept"
)


@blp.route("/map", methods=["POST"])
@blp.arguments(schemas.Version, location="query", unknown=RAISE, error_status_code=400)
@docs.body("Record", JSON, NDJSON)
@docs.failures(blp, 403, 406, 413, 415, 422, 500)
@blp.alt_response(200, schema=docs.LINES_SCHEMA, content_type=NDJSON, success=True)
@blp.alt_response(200, schema=docs.LINES_SCHEMA, content_type=FHIR_NDJSON, success=True)
@blp.alt_response(200, schema=docs.component("Bundle"), content_type=FHIR, success=True)
@blp.response(200, schemas.Mapped)
def map(query: dict[str, Any]) -> Response:
    """Map records to FHIR resources.

    By Accept: application/json (default) an object with resources and refused; application/fhir+json a collection
    Bundle, its last entry an OperationOutcome if records were refused; application/x-ndjson resources line by line, the
    last line such an OperationOutcome. One record may come once. 422 when no record could be mapped.
    """
    wanted = answers.form(JSON, FHIR, NDJSON, FHIR_NDJSON)
    parts = current()
    version = query["fhir"]
    mapped, refused = _map(bodies.records(parts.settings.limits), parts.mills[version])
    if not mapped:
        raise Problem(422, "no record could be mapped", issues=refused or [_empty("record")])
    if wanted == JSON:
        return answers.envelope("resources", [data for _, _, data in mapped], refused)
    if wanted == FHIR:
        return answers.collection(mapped, refused, version)
    return answers.lines(mapped, refused, wanted)


@blp.route("/unmap", methods=["POST"])
@blp.arguments(schemas.UnmapQuery, location="query", unknown=RAISE, error_status_code=400)
@docs.body("Resource", JSON, FHIR, NDJSON, FHIR_NDJSON)
@docs.failures(blp, 403, 406, 413, 415, 422, 500)
@blp.response(200, schemas.Unmapped)
def unmap(query: dict[str, Any]) -> Response:
    """Read records from FHIR resources.

    The body is a Bundle of any type, an array, or lines of resources, in any order. Records are found by what our own
    resources carry; with `foreign` also in resources that others wrote. Resources that are no part of a record are
    passed over. 422 when no record could be read.
    """
    answers.form(JSON)
    parts = current()
    limits, mill = parts.settings.limits, parts.mills[query["fhir"]]
    stranger = Stranger(query["foreign"], query["timezone"]) if "foreign" in query else None
    read = bodies.resources(limits, mill.gate)
    found: list[bytes] = []
    refused = list(read.issues)
    for taken in mill.records(read.resources, stranger):
        if taken.record is None:
            refused.extend(taken.issues)
            continue
        if len(found) == limits.batch_records:
            raise Problem(413, f"{too_large()} (limit {limits.batch_records} records)")
        found.append(codec.dumps(taken.record))
    if not found:
        raise Problem(422, "no record could be read", issues=refused or [_no_record(read.resources)])
    return answers.envelope("records", found, refused)


def _map(entries: Iterable[Entry], mill: Mill) -> tuple[list[Part], list[Issue]]:
    """All records' resources, and why records were refused. A record twice would be one resource twice."""
    mapped: list[Part] = []
    refused: list[Issue] = []
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for entry in entries:
        if entry.record is None:
            refused.extend(entry.issues)
            continue
        key = (entry.record["kind"], records.key(entry.record))
        if key in seen:
            refused.append(Issue(entry.record["record_id"], "", "duplicate", "one version of a record", entry.line))
            continue
        try:
            mapped.extend(mill.resources(entry.record))
            seen.add(key)
        except Skip as error:
            issues = getattr(error, "issues", None) or [Issue(None, "", "mapping")]
            record = entry.record["record_id"]
            refused.extend(replace(i, line=entry.line, record=i.record or record) for i in issues)
    return mapped, refused


def _empty(what: str) -> Issue:
    return Issue(None, "", "empty", f"at least one {what}")


def _no_record(resources: list[dict[str, Any]]) -> Issue:
    if not resources:
        return _empty("resource")
    words = "no resource is the root of a record of ours; give foreign to read what others wrote"
    return Issue(None, "", "no_record", message=words)
