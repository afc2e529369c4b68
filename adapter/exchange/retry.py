"""What to do about each failure on the wire: one table, and how long to wait.

The measured behaviour behind the rows: HAPI FHIR JPA 8.8.0 rolls a transaction back completely and never
names the bad entry (so: bisect), answers every race with 409 (so: try again, jittered), and writes by PUT
with our own id can be repeated safely (so: an unknown outcome is sent again). Must not know bundles, records
or the store.
"""

import email.utils
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from enum import Enum


class Action(Enum):
    """RETRY: the same again after a pause. REFRESH: once more with the secret read anew. SPLIT, ISOLATE: send
    smaller pieces until the bad record is found. SKIP: what was asked for is not there. LATER: this run
    cannot finish. STOP: no run can, until someone changes something."""

    RETRY = "retry"
    REFRESH = "refresh"
    SPLIT = "split"
    ISOLATE = "isolate"
    SKIP = "skip"
    LATER = "later"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Rule:
    """``then`` follows after ``tries`` repetitions (None: as many as the target's ``max_retries``)."""

    action: Action
    reason: str
    tries: int | None = None
    then: Action = Action.LATER


_RETRY, _ISOLATE, _STOP = Action.RETRY, Action.ISOLATE, Action.STOP

TABLE: dict[int | str, Rule] = {
    400: Rule(_ISOLATE, "the server cannot read an entry, or a reference target is missing"),
    401: Rule(Action.REFRESH, "not authenticated", then=_STOP),
    403: Rule(Action.REFRESH, "not allowed", then=_STOP),
    404: Rule(_STOP, "nothing FHIR at this address"),
    405: Rule(_STOP, "the server does not allow this interaction"),
    408: Rule(_RETRY, "the server gave up waiting for the request"),
    409: Rule(_RETRY, "version conflict or race; the transaction was rolled back", then=_ISOLATE),
    410: Rule(Action.SKIP, "gone: deleted resource or expired page"),
    412: Rule(_ISOLATE, "several resources match where one is meant"),
    413: Rule(Action.SPLIT, "request too large for the server or a proxy before it"),
    422: Rule(_ISOLATE, "the server's validation refuses an entry"),
    429: Rule(_RETRY, "too many requests"),
    500: Rule(_RETRY, "fault inside the server; it may be one entry's", 2, _ISOLATE),
    502: Rule(_RETRY, "bad gateway"),
    503: Rule(_RETRY, "service unavailable"),
    504: Rule(_RETRY, "gateway time-out; smaller pieces may pass", 2, Action.SPLIT),
    "connect": Rule(_RETRY, "no connection"),
    "reset": Rule(_RETRY, "connection lost after sending: outcome unknown, safe to repeat"),
    "timeout": Rule(_RETRY, "no answer in time: outcome unknown, safe to repeat", 1, Action.SPLIT),
    "broken_body": Rule(_RETRY, "answer cut off or not JSON: outcome unknown, safe to repeat", 3),
    "short_answer": Rule(_RETRY, "fewer answers than entries: outcome unknown, safe to repeat", 2, _ISOLATE),
    "too_large": Rule(_STOP, "answer above the size limit; ask for smaller pages"),
    "tls": Rule(_STOP, "TLS handshake or certificate refused"),
    "redirect": Rule(_STOP, "the server redirects; configure the final address"),
}

MISSING_TARGET = frozenset({"HAPI-1094", "HAPI-1096", "HAPI-0541", "HAPI-0507", "HAPI-1091"})
"""What HAPI calls a reference whose target is not there (yet); 1091 comes with 404, the others with 400."""


def rule_for(fault: int | str, codes: frozenset[str] = frozenset()) -> Rule:
    """The table's row; a missing reference target is never more than its own record's trouble."""
    if codes & MISSING_TARGET:
        return TABLE[400]
    found = TABLE.get(fault)
    if found is not None:
        return found
    if isinstance(fault, int) and fault >= 500:
        return TABLE[503]
    return Rule(_STOP, "answer that this adapter has no rule for")


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure that waiting did not cure: what it was (status or name), what to do, and safe words about
    it."""

    kind: int | str
    action: Action
    reason: str
    codes: frozenset[str] = frozenset()
    text: str = ""

    @property
    def missing_target(self) -> bool:
        return bool(self.codes & MISSING_TARGET)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a ``Retry-After`` header asks for (a number or an HTTP date), never below 0; None if
    unreadable."""
    if not value:
        return None
    text = value.strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, when.timestamp() - now)


def pause(attempt: int, asked: float | None, cap: float, chance: float) -> float:
    """Seconds before repetition ``attempt`` (from 1): what the server asked for, else 0.5 s doubling, with
    jitter.

    >>> pause(1, None, 60, 1.0), pause(3, None, 60, 0.0), pause(20, None, 60, 1.0), pause(1, 3600.0, 60, 0.5)
    (0.5, 1.0, 60.0, 60.0)
    """
    if asked is not None:
        return min(asked, float(cap))
    return min(0.5 * 2.0 ** min(attempt - 1, 30), float(cap)) * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock, sleep and chance, handed in so that tests need not wait."""

    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    tick: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random


@dataclass(slots=True)
class Pacer:
    """Keeps a least distance between requests, over all threads, and lets one "too many requests" hold them
    all."""

    pace: float
    timing: Timing
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> None:
        """Wait for this request's turn."""
        with self._lock:
            now = self.timing.tick()
            start = max(now, self._next)
            self._next = max(self._next, start + self.pace)
        if start > now:
            self.timing.sleep(start - now)

    def hold(self, seconds: float) -> None:
        """No request of any thread before this many seconds have passed."""
        with self._lock:
            self._next = max(self._next, self.timing.tick() + seconds)
