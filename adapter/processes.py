"""Mapping chunks of a large file in several processes: spawned, bytes in, bytes out, order kept (decisions 24).

Each worker joins the parts once and maps chunk after chunk; only the parent reads and writes. As many chunks are
under way as keep the workers busy, no more, so memory stays bounded. Must not know files or the command line.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from adapter.assembly import assemble
from adapter.errors import Stop
from adapter.files import Mapped, map_chunk
from adapter.mill import Mill
from adapter.records.split import Piece

RECORDS, BYTES = 100, 256 * 1024
"""A chunk ends at so many records or bytes."""
LARGE = 8 * 1024 * 1024
"""Input of more bytes than this is worth starting processes (some 2 s), when nobody says how many."""
MOST = 4


@dataclass(frozen=True)
class Plan:
    """How records are mapped; all that a worker needs to know."""

    version: str
    namespace: uuid.UUID
    sid: str
    bundle: bool = False
    explain: bool = False


def mapped(source: Iterable[Piece], plan: Plan, jobs: int | None = None) -> Iterator[Mapped]:
    """The chunks of a source, mapped, in order. ``jobs`` None: one process for small inputs, up to four for large.

    Raises ConfigError or MappingProofError when the mappings do not fit, Stop when a worker ends by itself.
    """
    mill = Mill(assemble(plan.namespace, plan.sid), plan.version)  # proved here, before any worker starts
    cut = chunks(source)
    if jobs is None:
        head: list[list[Piece]] = []
        size = 0
        for chunk in cut:
            head.append(chunk)
            size += sum(len(piece.data) for piece in chunk)
            if size > LARGE:
                break
        jobs = min(os.cpu_count() or 1, MOST) if size > LARGE else 1
        cut = chain(head, cut)
    if jobs <= 1:
        return (map_chunk(mill, chunk, plan.bundle, plan.explain) for chunk in cut)
    return _pooled(cut, plan, jobs)


def chunks(source: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces in lists of bounded number and size."""
    chunk: list[Piece] = []
    size = 0
    for piece in source:
        chunk.append(piece)
        size += len(piece.data)
        if len(chunk) >= RECORDS or size >= BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _pooled(cut: Iterable[list[Piece]], plan: Plan, jobs: int) -> Iterator[Mapped]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(plan,))
    under_way: deque[Future[Mapped]] = deque()
    try:
        for chunk in cut:
            with _deaf_children():
                under_way.append(pool.submit(_work, chunk))
            if len(under_way) > 2 * jobs:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except BrokenProcessPool:
        raise Stop("a worker process ended unexpectedly (out of memory?); --jobs 1 uses none") from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started in here never see Ctrl-C: the parent does, and ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_worker: list[tuple[Mill, Plan]] = []


def _begin(plan: Plan) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker[:] = [(Mill(assemble(plan.namespace, plan.sid), plan.version), plan)]


def _end_with_parent() -> None:
    """A parent that was killed takes its workers with it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(chunk: list[Piece]) -> Mapped:
    mill, plan = _worker[0]
    return map_chunk(mill, chunk, plan.bundle, plan.explain)
