"""The wire: servers and folders that resources are exchanged with, under one narrow interface.

``connect(target)`` gives a ``Partner``; the pipeline need not know which kind it is. Must not know records,
mappings or the store.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ..settings import Target
from .ahead import ahead
from .answers import RawPage, Received
from .capability import Capability
from .client import FhirClient
from .folder import Folder
from .parcel import NO_CHANGE, REJECTED, SENT, WAITING, Outcome, Parcel
from .publish import Definition, Published
from .retry import Timing
from .sender import Sender
from .server import Server

__all__ = [
    "NO_CHANGE",
    "REJECTED",
    "SENT",
    "WAITING",
    "Capability",
    "Definition",
    "FhirClient",
    "Folder",
    "Outcome",
    "Parcel",
    "Partner",
    "Published",
    "RawPage",
    "Received",
    "Sender",
    "Server",
    "Timing",
    "ahead",
    "connect",
]


class Partner(Protocol):
    """What a journey needs of an exchange partner."""

    target: Target

    @property
    def stopped(self) -> bool:
        """True when the last ``send`` ended early: what was not taken waits for another run."""
        ...

    def send(
        self, parcels: Iterable[Parcel], before: Callable[[Sequence[Parcel]], None] | None = None
    ) -> Iterator[list[Outcome]]: ...

    def publish(self, definitions: Sequence[Definition]) -> Iterator[list[Published]]: ...

    def pages(self, resource_type: str, params: Mapping[str, Any] | None = None) -> Iterator[list[Received]]: ...

    def describe(self) -> dict[str, Any]: ...

    def close(self) -> None: ...


def connect(target: Target, *, mapping_version: str = "", timing: Timing | None = None) -> Server | Folder:
    """The partner that a target's settings describe. Nothing is sent yet."""
    if target.folder is not None:
        return Folder(target, mapping_version=mapping_version)
    return Server(target, timing=timing)
