"""How records are packed into transactions, and which are not sent at all. Pure functions; no wire, no store."""

import re
from collections.abc import Iterable, Iterator

from ..errors import Issue
from ..settings import Target
from .parcel import REJECTED, WAITING, Outcome, Parcel

Bundle = list[Parcel]
_PLACE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")


def bundles(parcels: Iterable[Parcel], size: int) -> Iterator[Bundle]:
    """Whole records until ``size`` entries; a subject is kept together up to twice the size (records of one
    subject may refer to each other both ways); never two waves or one resource twice in a bundle."""
    bundle: Bundle = []
    ids: set[tuple[str, str]] = set()
    count = 0
    for run in _runs(parcels, size * 2):
        entries = sum(parcel.entries for parcel in run)
        fresh = {place for parcel in run for place in parcel.places}
        if bundle and (count + entries > size or run[0].wave != bundle[0].wave or not ids.isdisjoint(fresh)):
            yield bundle
            bundle, ids, count = [], set(), 0
        bundle.extend(run)
        ids |= fresh
        count += entries
    if bundle:
        yield bundle


def leave_out(bundle: Bundle, target: Target) -> tuple[Bundle, list[Outcome]]:
    """What of a bundle must not be sent: real records to a target for synthetic ones, one id twice in a
    record."""
    good: Bundle = []
    refused: list[Outcome] = []
    for parcel in bundle:
        if target.synthetic_only and not parcel.synthetic:
            refused.append(rejected(parcel, "synthetic_only", "the target takes synthetic records only"))
        elif len(set(parcel.places)) != parcel.entries:
            refused.append(rejected(parcel, "duplicate_part", "two resources of the record have one id"))
        elif not all(_PLACE.fullmatch(f"{name}/{id_}") for name, id_ in parcel.places):
            refused.append(rejected(parcel, "bad_id", "a resource type or id that FHIR does not allow"))
        elif not parcel.entries:
            refused.append(rejected(parcel, "no_resources", "the record became no resource"))
        else:
            good.append(parcel)
    return good, refused


def _runs(parcels: Iterable[Parcel], most: int) -> Iterator[Bundle]:
    """Parcels of one subject and wave that follow each other, cut at ``most`` entries and at a repeated
    resource."""
    run: Bundle = []
    ids: set[tuple[str, str]] = set()
    count = 0
    for parcel in parcels:
        own = set(parcel.places)
        other = run and (parcel.subject != run[0].subject or parcel.wave != run[0].wave)
        if run and (other or count + parcel.entries > most or not ids.isdisjoint(own)):
            yield run
            run, ids, count = [], set(), 0
        run.append(parcel)
        ids |= own
        count += parcel.entries
    if run:
        yield run


def middle(bundle: Bundle) -> int:
    """Where to halve: by entries, and between two subjects if that is near the middle."""
    half, count = sum(parcel.entries for parcel in bundle) / 2, 0
    place = len(bundle) // 2
    for index, parcel in enumerate(bundle):
        count += parcel.entries
        if count >= half:
            place = min(max(index + (count - half < parcel.entries / 2), 1), len(bundle) - 1)
            break
    reach = max(1, len(bundle) // 4)
    for step in range(reach + 1):
        for near in (place - step, place + step):
            if 0 < near < len(bundle) and bundle[near - 1].subject != bundle[near].subject:
                return near
    return place


def waiting(parcel: Parcel, rule: str, why: str) -> Outcome:
    """Not now: the record is offered again by the next push."""
    return Outcome(parcel, WAITING, issue=Issue(parcel.record_id or parcel.key, "", rule, message=why))


def rejected(parcel: Parcel, rule: str, why: str) -> Outcome:
    """Refused: by the target, or by us before sending."""
    return Outcome(parcel, REJECTED, issue=Issue(parcel.record_id or parcel.key, "", rule, message=why))
