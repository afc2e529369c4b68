"""A forwarding proxy in front of a real server: it counts what passes, and can end a process at an exact point.

It answers nothing itself. A `Cut` names a transaction by its number and a moment around it; when that moment comes,
the cut's action runs (in the tests: SIGKILL to the pushing process) before anything else happens.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

ARRIVED, WRITTEN, HALF = "arrived", "written", "half"
"""Moments of a transaction: it never reaches the server; committed and the answer held; half the answer is out."""
_TIMEOUT = 300
_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
_UP = _HOP | {"accept-encoding"}
_DOWN = _HOP | {"content-encoding", "date", "server"}


class Seen(NamedTuple):
    """One request that passed. ``path`` without its query."""

    method: str
    path: str
    status: int


@dataclass
class Cut:
    """At ``moment`` of the ``number``-th transaction (from 1) do ``action``, once."""

    number: int
    moment: str
    action: Callable[[], None]


@dataclass
class Witness:
    """Use as a context manager; ``base`` is the address to push to."""

    upstream: str
    seen: list[Seen] = field(default_factory=list)
    cut: Cut | None = None
    first: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Witness:
        witness = self

        class Handler(_Handler):
            owner = witness

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}{urlsplit(self.upstream).path}"
        self._lock = threading.Lock()
        self._number = self._flying = 0
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def forget(self, cut: Cut | None = None) -> None:
        """Begin to count anew, with another cut."""
        with self._lock:
            self.seen, self.cut, self._number = [], cut, 0
            self.first.clear()

    def writes(self) -> list[Seen]:
        """What may have changed something: searches by POST are not among it."""
        return [one for one in self.seen if one.method != "GET" and not one.path.endswith("/_search")]

    def idle(self) -> None:
        """Wait until the server has answered all that was sent to it: who was killed has left work there."""
        with self._change:
            assert self._change.wait_for(lambda: self._flying == 0, _TIMEOUT), "requests that never end"

    def entered(self, more: int) -> None:
        with self._change:
            self._flying += more
            self._change.notify_all()

    def number(self) -> int:
        with self._lock:
            self._number += 1
            return self._number

    def reached(self, number: int, moment: str) -> bool:
        with self._lock:
            cut = self.cut
            if cut is None or (cut.number, cut.moment) != (number, moment):
                return False
            self.cut = None
        cut.action()
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """The client was killed, or its server has gone: that is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    owner: Witness
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._forward()

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing is logged: paths may carry identifiers."""

    def _forward(self) -> None:
        witness, path = self.owner, self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        witness.first.set()
        number = witness.number() if self.command == "POST" and path == urlsplit(witness.upstream).path else 0
        if witness.reached(number, ARRIVED):
            raise ConnectionAbortedError
        witness.entered(1)
        try:
            answer, data = self._ask(body)
        finally:
            witness.entered(-1)
        witness.seen.append(Seen(self.command, path, answer.status))
        witness.reached(number, WRITTEN)
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _DOWN:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        witness.reached(number, HALF)
        self.wfile.write(data[len(data) // 2 :])

    def _ask(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        witness, upstream = self.owner, urlsplit(self.owner.upstream)
        kind = http.client.HTTPSConnection if upstream.scheme == "https" else http.client.HTTPConnection
        connection = kind(upstream.hostname or "", upstream.port, timeout=_TIMEOUT)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _UP}
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            return answer, answer.read().replace(witness.upstream.encode(), witness.base.encode())
        finally:
            connection.close()
