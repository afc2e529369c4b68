"""Every failure as one shape: RFC 9457 problem details, or an OperationOutcome where FHIR is asked for.

One handler, registered once, for our errors, for HTTP errors of the framework and for what nobody expected. The last
is answered with an incident id and nothing else; the log has the id, the class and the places in the code. Messages of
unexpected errors may quote patient data: they are neither answered nor logged.
"""

from __future__ import annotations

import logging
import math
import traceback
import uuid
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from adapter import codec
from adapter.errors import ConfigError, HydrofhirError, Issue, Retry, Skip, TargetError
from adapter.fhir import outcome
from adapter.web import negotiation
from adapter.web.schemas import PROBLEM_BASE

log = logging.getLogger("hydrofhir.web")
RETRY_AFTER = 30
"""Seconds to wait before trying again, where the other side has not said."""

_WORDS: dict[int, tuple[str, str]] = {  # HTTP status -> our problem type, FHIR issue type
    400: ("request", "invalid"),
    403: ("forbidden", "forbidden"),
    404: ("not-found", "not-found"),
    405: ("method", "not-supported"),
    406: ("not-acceptable", "not-supported"),
    409: ("already-running", "conflict"),
    413: ("too-large", "too-long"),
    415: ("media-type", "not-supported"),
    422: ("refused", "processing"),
    500: ("unexpected", "exception"),
    502: ("target", "exception"),
    503: ("unavailable", "transient"),
}


class Problem(Exception):
    """A failure as it is answered. ``slug`` ends the problem type; ``extra`` are further members, such as a report."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        slug: str = "",
        issues: Iterable[Issue] = (),
        retry_after: int | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.slug = slug or _WORDS.get(status, ("http", ""))[0]
        self.issues, self.retry_after, self.extra = tuple(issues), retry_after, extra

    def as_dict(self) -> dict[str, Any]:
        """The members of RFC 9457, then ours: issues, request_id and what ``extra`` holds."""
        return {
            "type": f"{PROBLEM_BASE}/{self.slug}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            **({"detail": self.detail} if self.detail else {}),
            **self.extra,
            "issues": [issue.as_dict() for issue in self.issues],
            "request_id": g.get("request_id", ""),
        }

    def as_outcome(self) -> dict[str, Any]:
        """The same as an OperationOutcome."""
        if self.issues:
            return outcome.write(self.issues)
        code = _WORDS.get(self.status, ("", "processing"))[1]
        text = self.detail or HTTPStatus(self.status).phrase
        entry = {"severity": "error", "code": code, "details": {"text": text}}
        if "instance" in self.extra:
            entry["diagnostics"] = self.extra["instance"]
        return {"resourceType": "OperationOutcome", "issue": [entry]}


def register(app: Flask) -> None:
    """Make `answer` the one error handler of the application."""
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> Response:
    """The answer to any error."""
    problem = problem_of(error)
    fhir = negotiation.wants_fhir()
    body = codec.dumps(problem.as_outcome() if fhir else problem.as_dict())
    media = negotiation.FHIR if fhir else negotiation.PROBLEM
    response = Response(body, problem.status, content_type=media)
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    if isinstance(error, HTTPException) and problem.status == 405:
        response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return response


def problem_of(error: Exception, **extra: Any) -> Problem:
    """Any error as a problem: skip is the caller's content, retry is later, stop is a target or our configuration."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return _of_http(error, extra)
    if isinstance(error, HydrofhirError):
        return _of_ours(error, extra)
    return _unexpected(error, extra)


def _of_ours(error: HydrofhirError, extra: dict[str, Any]) -> Problem:
    if isinstance(error, Retry):
        after = RETRY_AFTER if error.after is None else math.ceil(error.after)
        return Problem(503, str(error), retry_after=after, **extra)
    if isinstance(error, TargetError):
        return Problem(502, str(error), **extra)
    if isinstance(error, Skip):
        issues = getattr(error, "issues", ())
        return Problem(422, "" if issues else str(error), issues=issues, **extra)
    if isinstance(error, ConfigError):
        return Problem(400, str(error), slug="configuration", **extra)
    return Problem(500, str(error), slug="stopped", **extra)


def _of_http(error: HTTPException, extra: dict[str, Any]) -> Problem:
    """An error of the framework: its status and our words; its own text may quote the request."""
    status = error.code or 500
    data = getattr(error, "data", None) or {}
    messages = data.get("messages", {}).get("query", {}) if isinstance(data, dict) else {}
    if messages:
        return Problem(400, "a query parameter is missing, unknown or not legal", slug="parameter",
                       issues=_parameters(messages), **extra)  # fmt: skip
    if status == 413:
        return Problem(413, too_large(), **extra)
    return Problem(status, **extra)


def too_large() -> str:
    """What to do with more than a request may hold."""
    return (
        f"more than one request may hold; for large inputs there is the command `hydrofhir {g.get('command', 'map')}`"
    )


def _parameters(messages: dict[Any, Any]) -> list[Issue]:
    """marshmallow's words on query parameters are ours (`schemas`), or fixed ones; only known names are shown."""
    found = []
    for name, texts in messages.items():
        known = str(name) if str(name) in ("fhir", "target", "study", "since", "limit", "foreign", "timezone") else "?"
        text = " ".join(str(t) for t in texts) if isinstance(texts, list) else ""
        found.append(Issue(None, known, "parameter", message=text))
    return found


def _unexpected(error: Exception, extra: dict[str, Any]) -> Problem:
    incident = str(uuid.uuid4())
    places = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-8:]]
    log.error("incident %s: %s at %s", incident, type(error).__name__, " < ".join(reversed(places)))
    detail = "something unexpected happened; the log of the service has the incident id"
    return Problem(500, detail, instance=f"urn:uuid:{incident}", incident=incident, **extra)
