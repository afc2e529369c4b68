"""What all requests share: settings, the store, a mill per FHIR version, and one running journey per target.

Made once by `app.create_app`; everything in it is safe for several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import current_app

from adapter.errors import ConfigError
from adapter.mill import Mill
from adapter.scope import Partner
from adapter.settings import Settings, Target
from adapter.store import Store
from adapter.web.errors import Problem

NAME = "hydrofhir"
RUNNING = 5
"""Seconds after which it makes sense to ask again while a journey is running."""


@dataclass
class Parts:
    """The joined parts. ``connect`` opens the partner that a target describes."""

    settings: Settings
    store: Store
    mills: Mapping[str, Mill]
    connect: Callable[[Target], Partner]
    _running: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def mapping(self) -> str:
        """The digest of the mappings in use."""
        return next(iter(self.mills.values())).assembly.mappings.digest

    def target(self, name: str) -> Target:
        """A configured target. Problem 404 for everything else; the name is not repeated."""
        try:
            return self.settings.resolve_target(name, names_only=True)
        except ConfigError:
            raise Problem(404, "target: only names of configured targets are taken", slug="unknown-target") from None

    def mill(self, target: Target) -> Mill:
        """The mill for one target: its own patients, people and places."""
        return Mill(self.mills[target.fhir].assembly, target.fhir, target)

    @contextmanager
    def only_one(self, journey: str, target: Target) -> Iterator[None]:
        """One journey of a name with a target at a time, in this process. Problem 409 while another one runs."""
        mine = (journey, target.ledger_key)
        with self._lock:
            if mine in self._running:
                detail = f"a {journey} with this target is already running"
                raise Problem(409, detail, retry_after=RUNNING)
            self._running.add(mine)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(mine)

    @contextmanager
    def partner(self, target: Target) -> Iterator[Partner]:
        """An open partner."""
        partner = self.connect(target)
        try:
            yield partner
        finally:
            partner.close()


def current() -> Parts:
    """The parts of the application that serves this request."""
    found = current_app.extensions[NAME]
    assert isinstance(found, Parts)
    return found
