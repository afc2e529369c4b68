"""Sends parcels as transactions: whole records, in bundles of about the target's size, parallel across
subjects.

A subject is in flight in one bundle at a time; all parcels of a wave are settled before the next wave starts.
The server never names the bad entry of a bundle (measured), so bundles are halved until the bad record stands
alone. Outcomes never name values. Must not know the store: the caller is told before each bundle and after
it, in its own thread, and keeps the ledger.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from ..errors import HydrofhirError
from .answers import EntryResult, bundle_of
from .client import FhirClient
from .packing import Bundle, bundles, leave_out, middle, rejected, waiting
from .parcel import NO_CHANGE, SENT, WAITING, Outcome, Parcel
from .retry import Action, Fault

_ROOM = 2
_GIVE_UP = 24
_LAST_ROUND = 2_000


class Sender:
    """One push to one server. ``give_up``: failed requests in a row, over all threads, that end the push."""

    def __init__(self, client: FhirClient, *, give_up: int = _GIVE_UP) -> None:
        self.client, self.target = client, client.target
        self._give_up = give_up
        self._failures = 0
        self._spread: set[str] = set()
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def send(
        self, parcels: Iterable[Parcel], before: Callable[[Sequence[Parcel]], None] | None = None
    ) -> Iterator[list[Outcome]]:
        """Outcomes, bundle by bundle, every parcel once (one that waits for a reference may come a second
        time).

        ``parcels`` come grouped by subject, lower waves first, and are taken only as fast as they are sent.
        ``before`` is called with parcels before they are sent, those of a few bundles at a time. When the server
        becomes unavailable, the parcels in hand come back as ``waiting`` and no more are taken; an error that needs a
        person (``Stop``) is raised after the bundles in flight are settled.
        """
        missing: dict[tuple[int, str], Bundle] = {}
        room = _LAST_ROUND
        for outcomes in self._run(self._watched(bundles(parcels, self.target.bundle_entries)), before):
            for one in outcomes:
                if room and _lacks_target(one) and one.parcel.subject in self._spread:
                    missing.setdefault((one.parcel.wave, one.parcel.subject), []).append(one.parcel)
                    room -= 1
            yield outcomes
        if missing and not self.stopped:
            yield from self._run(iter([missing[place] for place in sorted(missing)]), before)

    def _watched(self, bundles: Iterator[Bundle]) -> Iterator[Bundle]:
        """Remembers subjects too large for one bundle: a record may refer to one in a later bundle."""
        last = ""
        for bundle in bundles:
            self.client.greet()  # asked for once, and not at all when there is nothing to send
            if last and bundle[0].subject == last:
                self._spread.add(last)
            last = bundle[-1].subject
            yield bundle

    @property
    def stopped(self) -> bool:
        """True when the push ended early because the server is unavailable: what was not taken waits."""
        return self._stop.is_set()

    def _run(
        self, bundles: Iterator[Bundle], before: Callable[[Sequence[Parcel]], None] | None
    ) -> Iterator[list[Outcome]]:
        flying: dict[Future[list[Outcome]], Bundle] = {}
        queue: deque[Bundle] = deque()
        untold: list[Parcel] = []  # of bundles in the queue: said to be on their way when the first of them goes
        failure: HydrofhirError | None = None
        exhausted = False
        room = self.target.concurrency * _ROOM
        with ThreadPoolExecutor(self.target.concurrency, thread_name_prefix="hydrofhir-send") as pool:
            try:
                while True:
                    over = failure is not None or self.stopped
                    while queue and not over and len(flying) < self.target.concurrency:
                        bundle_ = _take_free(queue, flying.values())
                        if bundle_ is None:
                            break
                        if before is not None and any(parcel is bundle_[0] for parcel in untold):
                            before(untold)
                            untold = []
                        flying[pool.submit(self._work, bundle_)] = bundle_
                    filling = not exhausted and not over and len(queue) < room
                    if filling:  # one at a time: a free connection never waits for more than one bundle to be made
                        bundle = next(bundles, None)
                        if bundle is None:
                            exhausted = True
                        else:
                            bundle, refused = leave_out(bundle, self.target)
                            if refused:
                                yield refused
                            if bundle:
                                queue.append(bundle)
                                untold += bundle
                    if not flying:
                        if over or (exhausted and not queue):
                            break
                        continue
                    done, _ = wait(flying, timeout=0 if filling else None, return_when=FIRST_COMPLETED)
                    for future in done:
                        del flying[future]
                        try:
                            yield future.result()
                        except HydrofhirError as error:
                            failure = failure or error
                            self._stop.set()
            finally:
                self._close(flying)
        if failure is not None:
            raise failure
        if queue:
            yield [waiting(parcel, "unavailable", "the push ended early") for bundle in queue for parcel in bundle]

    def _close(self, flying: dict[Future[list[Outcome]], Bundle]) -> None:
        """The caller left, or failed: begin nothing more; what is in flight stays "sending" in the ledger."""
        if flying:
            self._stop.set()

    def _work(self, bundle: Bundle) -> list[Outcome]:
        """In a thread: send a bundle, in ever smaller pieces if need be; every parcel gets its outcome."""
        outcomes = self._pieces(bundle)
        lost: dict[str, Bundle] = {}
        for one in outcomes:
            if _lacks_target(one):
                lost.setdefault(one.parcel.subject, []).append(one.parcel)
        again: dict[int, Outcome] = {}
        for parcels in lost.values():
            if 1 < len(parcels) < len(bundle):  # they may refer to each other, and a third one spoilt the bundle
                found = self._post(parcels)
                if not isinstance(found, Fault):
                    again.update((id(one.parcel), one) for one in found)
        return [again.get(id(one.parcel), one) for one in outcomes]

    def _pieces(self, bundle: Bundle) -> list[Outcome]:
        if self.stopped:
            return [waiting(parcel, "unavailable", "the push ended early") for parcel in bundle]
        found = self._post(bundle)
        if not isinstance(found, Fault):
            return found
        if found.action is Action.LATER or self.stopped:
            self._stop.set()
            return [waiting(parcel, "unavailable", found.reason) for parcel in bundle]
        if len(bundle) == 1:
            return [_alone(bundle[0], found)]
        half = middle(bundle)
        return self._pieces(bundle[:half]) + self._pieces(bundle[half:])

    def _post(self, bundle: Bundle) -> list[Outcome] | Fault:
        """One transaction; counts failures that may be the server's, so that a broken server ends the
        push."""
        data, count = bundle_of(bundle, self.client.base)
        found = self.client.post_bundle(data, count)
        with self._lock:
            if isinstance(found, Fault) and found.kind in (500, 504, "timeout", "short_answer"):
                self._failures += 1
                if self._failures >= self._give_up:
                    self._stop.set()
            else:
                self._failures = 0
        return found if isinstance(found, Fault) else _read(bundle, found)


def _take_free(queue: deque[Bundle], flying: Iterable[Bundle]) -> Bundle | None:
    """The first queued bundle whose subjects are in no bundle before it, in flight or queued, and whose wave
    is on."""
    busy = {parcel.subject for bundle in flying for parcel in bundle if parcel.subject}
    waves = [bundle[0].wave for bundle in flying] + [queue[0][0].wave]
    for place, bundle in enumerate(queue):
        if bundle[0].wave > min(waves):
            return None
        subjects = {parcel.subject for parcel in bundle if parcel.subject}
        if busy.isdisjoint(subjects):
            del queue[place]
            return bundle
        busy |= subjects
    return None


def _read(bundle: Bundle, results: list[EntryResult]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    at = 0
    for parcel in bundle:
        own = results[at : at + len(parcel.parts)]
        at += len(parcel.parts)
        bad = next((one for one in own if not 200 <= one.status < 300), None)
        if bad is not None:
            outcomes.append(rejected(parcel, f"target_{bad.status}", "refused inside the transaction"))
            continue
        codes = tuple(one.outcome_code for one in own)
        same = not parcel.remove and all(one.unchanged for one in own)
        versions = tuple(one.version for one in own)
        outcomes.append(Outcome(parcel, NO_CHANGE if same else SENT, versions, codes))
    return outcomes


def _lacks_target(outcome: Outcome) -> bool:
    return outcome.state == WAITING and outcome.issue is not None and outcome.issue.rule == "missing_target"


def _alone(parcel: Parcel, fault: Fault) -> Outcome:
    """The verdict on a record that fails by itself."""
    if fault.missing_target:
        return waiting(parcel, "missing_target", "a resource it refers to is not on the server")
    if fault.kind in (409, 504, "timeout"):
        return waiting(parcel, f"target_{fault.kind}", fault.reason)
    return rejected(parcel, f"target_{fault.kind}", fault.text or fault.reason)
