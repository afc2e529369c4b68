"""What the service says about itself: is it well, what do records look like, what can be asked. No secrets, no data."""

from __future__ import annotations

from flask import Response, current_app
from flask_smorest import Blueprint

from adapter import __version__, codec, records
from adapter.errors import HydrofhirError
from adapter.web import answers, docs, schemas
from adapter.web.errors import Problem
from adapter.web.parts import current

SCHEMA_JSON = "application/schema+json"
API = "hydrofhir-api"
blp = Blueprint("about", __name__, url_prefix="/v1", description="The service itself")


@blp.route("/health")
@docs.failures(blp, 500)
@blp.alt_response(503, schema=schemas.Health, description="The store cannot be reached")
@blp.response(200, schemas.Health)
def health() -> Response:
    """Is the service alive, and can it reach its store?"""
    parts = current()
    try:
        parts.store.namespace()
        reachable = True
    except HydrofhirError:
        reachable = False
    body = {
        "status": "ok" if reachable else "degraded",
        "store": "ok" if reachable else "unreachable",
        "version": __version__,
        "mapping": parts.mapping,
        "fhir": list(parts.mills),
    }
    return answers.json(body, 200 if reachable else 503)


@blp.route(
    "/schemas/<kind>",
    parameters=[
        {
            "in": "path",
            "name": "kind",
            "required": True,
            "description": "Record kind",
            "schema": {"type": "string", "enum": list(records.KINDS)},
        }
    ],
)
@docs.failures(blp, 404, 500)
@blp.response(200, {"type": "object"}, content_type=SCHEMA_JSON)
def schema(kind: str) -> Response:
    """The JSON Schema of a record kind."""
    if kind not in records.KINDS:
        raise Problem(404, f"legal record kinds: {', '.join(records.KINDS)}")
    return answers.json(records.json_schema(kind), media=SCHEMA_JSON)


@blp.route("/openapi.json")
@docs.failures(blp, 500)
@blp.response(200, {"type": "object"})
def openapi() -> Response:
    """This description."""
    return Response(codec.dumps_pretty(current_app.extensions[API].spec.to_dict()), content_type="application/json")
