"""A FHIR server as exchange partner: the client and a sender under the interface that folders have too."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..settings import Target
from . import capability
from .answers import Received
from .client import FhirClient
from .parcel import Outcome, Parcel
from .publish import Definition, Published, Publisher
from .retry import Timing
from .sender import Sender


class Server:
    """One server; ``client`` is there for reads, deletes and searches by identifier."""

    def __init__(self, target: Target, *, timing: Timing | None = None) -> None:
        self.target = target
        self.client = FhirClient(target, timing=timing)
        self.stopped = False

    def send(
        self, parcels: Iterable[Parcel], before: Callable[[Sequence[Parcel]], None] | None = None
    ) -> Iterator[list[Outcome]]:
        """See ``Sender.send``."""
        sender = Sender(self.client)
        try:
            yield from sender.send(parcels, before)
        finally:
            self.stopped = sender.stopped

    def publish(self, definitions: Sequence[Definition]) -> Iterator[list[Published]]:
        """See ``Publisher.publish``."""
        publisher = Publisher(self.client)
        try:
            yield from publisher.publish(definitions)
        finally:
            self.stopped = publisher.stopped

    def pages(self, resource_type: str, params: Mapping[str, Any] | None = None) -> Iterator[list[Received]]:
        """See ``FhirClient.search_pages``."""
        return self.client.search_pages(resource_type, params)

    def capability(self) -> capability.Capability:
        """What the server says it can do."""
        return capability.read(self.client.metadata())

    def describe(self) -> dict[str, Any]:
        """What ``doctor`` shows."""
        found = self.capability()
        return {
            "base": self.client.base,
            "software": found.software,
            "fhirVersion": found.fhir_version,
            "transaction": found.transaction,
            "types": len(found.types),
            "conduct": found.conduct(),
        }

    def close(self) -> None:
        """End all connections."""
        self.client.close()
