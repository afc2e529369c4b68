"""Journeys through the store: ``/v1/push`` and ``/v1/pull``. Targets by configured name only.

A request does a bounded piece of work; the commands of the same names have no bounds. Pull answers with identified
records: withholding by policy (blinding, pseudonyms) is not part of this release.
"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import RAISE

from adapter import codec
from adapter.errors import HydrofhirError
from adapter.report import Report
from adapter.scope import Scope
from adapter.web import answers, bodies, bounds, docs, schemas
from adapter.web.errors import Problem, problem_of
from adapter.web.negotiation import JSON, NDJSON
from adapter.web.parts import current

RESOURCES_PER_RECORD = 10
blp = Blueprint("journeys", __name__, url_prefix="/v1", description="Between the store and a configured target")


@blp.route("/push", methods=["POST"])
@blp.arguments(schemas.TargetQuery, location="query", unknown=RAISE, error_status_code=400)
@docs.body("Record", JSON, NDJSON)
@docs.failures(blp, 403, 404, 406, 409, 413, 415, 422, 500, 502, 503)
@blp.alt_response(
    202, schema=schemas.Report, description="The records are kept, but not all are delivered yet", success=True
)
@blp.response(200, schemas.Report)
def push(query: dict[str, Any]) -> Response:
    """Keep records in the store and send them to a target.

    200: every record is settled, the report counts what was sent, unchanged or refused. 202: all good records are kept,
    but some wait, for the target or for a record that they refer to; post them again later, or run the command
    `hydrofhir push`. 422: no record could be kept. Repeating a push changes nothing. One push per target at a time
    (409).
    """
    answers.form(JSON)
    parts = current()
    target = parts.target(query["target"])
    entries = bodies.records(parts.settings.limits)
    report = Report("push")
    with parts.only_one("push", target), parts.partner(bounds.impatient(target)) as partner:
        try:
            bounds.push(parts.store, parts.mill(target), partner, entries, report, parts.settings.waiting_days)
        except HydrofhirError as error:
            raise problem_of(error, report=report.done().as_dict()) from None
    if not any(report.counts[name] for name in ("new", "changed", "unchanged", "waiting")):
        raise Problem(422, "no record could be kept", issues=report.issues, report=report.as_dict())
    return answers.json(report.as_dict(), 202 if report.exit_code == 3 else 200)


@blp.route("/pull", methods=["POST"])
@blp.arguments(schemas.PullQuery, location="query", unknown=RAISE, error_status_code=400)
@docs.failures(blp, 403, 404, 406, 409, 422, 500, 502, 503)
@blp.response(200, schemas.Pulled)
def pull(query: dict[str, Any]) -> Response:
    """Read records from a target into the store, and answer with them.

    The answer holds identified records: no policy withholds anything in this release. It is bounded: where
    `report.unfinished` is there, the target has more, the cursor of `since=last` has not moved, and the command
    `hydrofhir pull` reads all. Takes what carries our identifiers.
    """
    answers.form(JSON)
    parts = current()
    target = parts.target(query["target"])
    most = parts.settings.limits.batch_records
    limit = min(query.get("limit", most), most)
    scope = Scope(study=query.get("study"), since=query.get("since"))
    report = Report("pull")
    found: list[bytes] = []

    def out(record: dict[str, Any]) -> None:
        if len(found) < limit:
            found.append(codec.dumps(record))
        elif not report.unfinished:
            report.unfinished = f"the target has more records than asked for (limit {limit})"

    with parts.only_one("pull", target), parts.partner(bounds.impatient(target)) as partner:
        try:
            bounds.pull(parts.store, parts.mill(target), partner, report, scope, most * RESOURCES_PER_RECORD, out)
        except HydrofhirError as error:
            raise problem_of(error, report=report.done().as_dict()) from None
    if report.unfinished:
        report.unfinished += "; for all of it there is the command `hydrofhir pull`"
    body = b'{"records":[%b],"report":%b}' % (b",".join(found), codec.dumps(report.as_dict()))
    return Response(body, content_type=JSON)
