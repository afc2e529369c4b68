"""What the sender is given and what it gives back: one record's resources, and what became of them.

Must not know where parcels come from (the pipeline) or where outcomes are kept (the store).
"""

from dataclasses import dataclass

from ..errors import Issue

SENT, NO_CHANGE, REJECTED, WAITING = "sent", "no_change", "rejected", "waiting"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One record's resources, never split over two transactions (decisions 21).

    ``parts``: (resource type, id, encoded resource), root first. ``remove``: (type, id) of resources that an
    earlier version of the record had and this one has not; they are deleted in the same transaction.
    ``wave``: all parcels of a lower wave are settled before the first of a higher one is sent (studies 0, the
    rest 1). ``seq``: the record's number in the store, by which the ledger knows it.
    """

    kind: str
    key: str
    subject: str
    parts: tuple[tuple[str, str, bytes], ...]
    hash: str
    version: int = 1
    record_id: str = ""
    remove: tuple[tuple[str, str], ...] = ()
    wave: int = 1
    synthetic: bool = False
    seq: int = 0

    @property
    def places(self) -> list[tuple[str, str]]:
        """(type, id) of every entry this parcel makes in a transaction."""
        return [(part[0], part[1]) for part in self.parts] + list(self.remove)

    @property
    def entries(self) -> int:
        return len(self.parts) + len(self.remove)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a parcel: ``sent``, ``no_change`` (the server had it), ``rejected`` (``issue`` says why)
    or ``waiting`` (not now: a reference target is missing, or the partner is unavailable; ``issue`` says
    why).

    ``versions`` and ``codes`` hold, part by part, the server's version id and what it says it did.
    """

    parcel: Parcel
    state: str
    versions: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    issue: Issue | None = None
