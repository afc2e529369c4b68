"""The OpenAPI description: what marshmallow schemas cannot say, and errors in their two forms.

One component per record kind, made from the schema that validates it; Record is any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Flask
from flask_smorest import Api, Blueprint

from adapter import __version__, records
from adapter.web import negotiation, schemas

COMPONENTS = "#/components/schemas"
FHIR_DOCS = {"R4": "https://hl7.org/fhir/R4/", "R5": "https://hl7.org/fhir/R5/"}
DESCRIPTION = """Records of ultrasound-guided hydrodissection to FHIR R4 and R5 resources and back.

Errors are RFC 9457 problem details, or OperationOutcomes where the Accept header asks for application/fhir+json. They
name records, fields, rules and limits, never values. Answers may hold identified health data. Not for pages in a
browser: a POST with an Origin header is refused. Decimals keep their digits in both directions."""


class ServiceApi(Api):
    """flask-smorest, with our one error handler and our error shape."""

    DEFAULT_ERROR_RESPONSE_NAME = ""

    def _register_error_handlers(self) -> None:
        """Errors have one handler, registered by `errors.register`."""

    def _register_pagination_header(self) -> None:
        """Nothing is paged."""

    def _register_etag_headers(self) -> None:
        """Nothing has an ETag."""

    def _register_responses(self) -> None:
        content = {
            negotiation.PROBLEM: {"schema": schemas.Problem},
            negotiation.FHIR: {"schema": {"$ref": f"{COMPONENTS}/OperationOutcome"}},
        }
        for status in HTTPStatus:
            if status >= 400:
                response = {"description": status.phrase, "content": dict(content)}
                self.spec.components.response(status.name, response, lazy=True)


def describe(app: Flask) -> ServiceApi:
    """An API object whose description has the components that routes refer to."""
    app.config["API_TITLE"] = "hydrofhir"
    app.config["API_VERSION"] = __version__
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["API_SPEC_OPTIONS"] = {"info": {"description": DESCRIPTION}}
    api = ServiceApi(app)
    components = api.spec.components
    for kind in records.KINDS:
        found = records.json_schema(kind)
        components.schema(kind, {k: v for k, v in found.items() if k not in ("$schema", "$id")})
    mapping = {kind: f"{COMPONENTS}/{kind}" for kind in records.KINDS}
    components.schema(
        "Record",
        {
            "oneOf": [{"$ref": ref} for ref in mapping.values()],
            "discriminator": {"propertyName": "kind", "mapping": mapping},
        },
    )
    for name in ("Resource", "Bundle", "OperationOutcome"):
        type_: dict[str, Any] = {"type": "string"} if name == "Resource" else {"const": name}
        components.schema(
            name,
            {
                "type": "object",
                "description": f"A FHIR {name}",
                "properties": {"resourceType": type_},
                "required": ["resourceType"],
                "externalDocs": {"url": FHIR_DOCS["R4"]},
            },
        )
    return api


def body(name: str, *media: str) -> Callable[[Any], Any]:
    """Documents a request body: one ``name``, an array of them, or lines of them; a Bundle for FHIR."""
    one = {"$ref": f"{COMPONENTS}/{name}"}
    content: dict[str, Any] = {}
    for each in media:
        if each == negotiation.JSON:
            content[each] = {"schema": {"oneOf": [one, {"type": "array", "items": one}]}}
        elif each == negotiation.FHIR:
            content[each] = {"schema": one}
        else:
            content[each] = {"schema": {"type": "string", "description": f"NDJSON, one {name} a line"}}
    documented: Callable[[Any], Any] = Blueprint.doc(requestBody={"required": True, "content": content})
    return documented


def failures(blueprint: Blueprint, *statuses: int) -> Callable[[Any], Any]:
    """Documents the errors that a route may answer with."""

    def decorate(view: Any) -> Any:
        for status in statuses:
            view = blueprint.alt_response(status, HTTPStatus(status).name)(view)
        return view

    return decorate


def component(name: str) -> dict[str, str]:
    """A reference to a component, as a response schema."""
    return {"$ref": f"{COMPONENTS}/{name}"}


LINES_SCHEMA = {"type": "string", "description": "NDJSON, one resource a line"}
