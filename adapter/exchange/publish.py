"""Loads definitions into a partner: conditional updates by canonical url, so that a server keeps one of each.

Bundles go one after the other, in the order given, since later definitions build on earlier ones. A server never says
which entry of a transaction it refuses, so a bundle is halved until the bad one stands alone. Must not know what is
defined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import codec
from ..errors import ConfigError, Issue
from .answers import EntryResult, updates_of
from .capability import read
from .client import FhirClient
from .parcel import NO_CHANGE, REJECTED, SENT
from .retry import Action, Fault


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition, as FHIR."""

    resource: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The resource type."""
        return str(self.resource["resourceType"])

    @property
    def place(self) -> tuple[str, str, bytes]:
        """Type, canonical address, and the resource encoded without its id: the server has it under an id of its own,
        or somebody else's."""
        body = {name: value for name, value in self.resource.items() if name != "id"}
        return self.kind, str(self.resource["url"]), codec.dumps(body)


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a definition: ``sent``, ``no_change`` (it was there) or ``rejected`` (``issue`` says why)."""

    definition: Definition
    state: str
    issue: Issue | None = None


class Publisher:
    """One load into one server; ``stopped`` when it ended early because the server is unavailable."""

    def __init__(self, client: FhirClient) -> None:
        self.client, self.target = client, client.target
        self.stopped = False

    def publish(self, definitions: Sequence[Definition]) -> Iterator[list[Published]]:
        """What became of the definitions, bundle by bundle. Raises ConfigError for a server that cannot take them, and
        what the wire raises."""
        kinds = dict.fromkeys((one.kind for one in definitions), ("url",))
        lacking = read(self.client.metadata()).lacking(kinds)
        if lacking:
            raise ConfigError(f"target {self.target.name}: {'; '.join(lacking)}")
        size = self.target.bundle_entries
        for start in range(0, len(definitions), size):
            yield self._pieces(definitions[start : start + size])
            if self.stopped:
                return

    def _pieces(self, bundle: Sequence[Definition]) -> list[Published]:
        if self.stopped:
            return []
        data = updates_of(one.place for one in bundle)
        found = self.client.post_bundle(data, len(bundle))
        if not isinstance(found, Fault):
            return [_read(one, result) for one, result in zip(bundle, found, strict=True)]
        if found.action is Action.LATER:
            self.stopped = True
            return []
        if len(bundle) == 1:
            return [_rejected(bundle[0], f"target_{found.kind}", found.text or found.reason)]
        half = len(bundle) // 2
        return self._pieces(bundle[:half]) + self._pieces(bundle[half:])


def _read(definition: Definition, result: EntryResult) -> Published:
    if not 200 <= result.status < 300:
        return _rejected(definition, f"target_{result.status}", "refused inside the transaction")
    return Published(definition, NO_CHANGE if result.unchanged else SENT)


def _rejected(definition: Definition, rule: str, why: str) -> Published:
    issue = Issue(f"{definition.kind}/{definition.resource['id']}", "", rule, message=why)
    return Published(definition, REJECTED, issue)
