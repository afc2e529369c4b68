"""What happens around each request: its id, the headers of every answer, a line in the access log.

Answers may hold patient data: they are not kept by caches and not guessed at by browsers. No page of a browser may
call what changes or shows records (a page on another site could otherwise reach a service on this machine, by name
tricks even as its own origin): a POST with an Origin header is refused. The log names routes, never paths, queries or
bodies.
"""

from __future__ import annotations

import logging
import re
import time
import uuid

from flask import Flask, Response, g, request

from adapter.web.errors import Problem

log = logging.getLogger("hydrofhir.access")
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def register(app: Flask) -> None:
    """Put all of it around every request of the application."""
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.started = time.monotonic()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _SAFE_ID.fullmatch(given) else str(uuid.uuid4())
    g.command = (request.endpoint or "map").rpartition(".")[2]
    if request.method == "POST" and "Origin" in request.headers:
        raise Problem(403, "not for pages in a browser: a POST with an Origin header is refused")


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    rule = request.url_rule.rule if request.url_rule is not None else "-"
    method = request.method if request.method in _METHODS else "?"
    ms = (time.monotonic() - g.get("started", time.monotonic())) * 1000
    size = response.calculate_content_length() or 0
    log.info("%s %s %s %d %d bytes %.0f ms", g.get("request_id", "-"), method, rule, response.status_code, size, ms)
    return response
