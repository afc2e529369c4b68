"""Lets a source work one step ahead of whoever takes from it: the next page is on its way while this one is read.

Must not know what is taken.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    """The source is at its end, by an error or without one."""

    error: BaseException | None = None


def ahead(source: Iterable[T], room: int = 1) -> Iterator[T]:
    """What ``source`` gives, in its order; it runs in a thread of its own, at most ``room`` items ahead. Its error is
    raised here, after all it gave before. Whoever leaves early leaves it behind: it ends at its next item.
    """
    box: Queue[T | _End] = Queue(room)
    left = threading.Event()

    def put(item: T | _End) -> bool:
        while not left.is_set():
            try:
                box.put(item, timeout=0.2)
                return True
            except Full:
                continue
        return False

    def run() -> None:
        end = _End()
        try:
            for item in source:
                if not put(item):
                    return
        except BaseException as error:
            end = _End(error)
        put(end)

    threading.Thread(target=run, name="hydrofhir-ahead", daemon=True).start()
    try:
        while not isinstance(item := box.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        left.set()
