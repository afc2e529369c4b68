"""A source one step ahead: same items, same order, its errors, and nobody waits for what is not wanted."""

import threading
import time

import pytest

from adapter.exchange import ahead


def test_gives_all_in_order():
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead([])) == []


def test_works_while_the_taker_works():
    begun = threading.Event()

    def source():
        yield 1
        begun.set()
        yield 2

    items = ahead(source())
    assert next(items) == 1
    assert begun.wait(10)  # without anybody having asked for the second
    assert list(items) == [2]


def test_is_no_more_than_its_room_ahead():
    made = []

    def source():
        for n in range(50):
            made.append(n)
            yield n

    items = ahead(source(), room=2)
    next(items)
    time.sleep(0.3)
    assert len(made) <= 1 + 2 + 1  # taken, in the box, in the hand
    assert list(items) == list(range(1, 50))


def test_an_error_comes_after_what_was_given_before_it():
    def source():
        yield 1
        raise ValueError("page 2")

    items = ahead(source())
    assert next(items) == 1
    with pytest.raises(ValueError, match="page 2"):
        next(items)


def test_who_leaves_early_leaves_no_thread_at_work():
    made = []

    def source():
        for n in range(1_000_000):
            made.append(n)
            yield n

    before = threading.active_count()
    items = ahead(source())
    next(items)
    items.close()
    until = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.02)
    assert threading.active_count() == before
    assert len(made) < 10
