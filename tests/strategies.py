"""Arbitrary valid records of every kind, for property tests: `records(kind)` and, before intake,
`raw_records(kind)`.

A record is built from its schema, field by field, then made to obey the rules of its kind (`makers`).
Hypothesis draws only a seed and a richness (0: what is required, 1: every field), so a record takes well
under a millisecond to draw and a failure shrinks towards few fields.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from adapter import records as room
from tests.makers import MAKERS

RICHNESS = (0.0, 0.3, 0.7, 1.0)


def make(kind: str, seed: int, richness: float) -> dict[str, Any]:
    """One raw record, valid, as it might come from a source system."""
    return MAKERS[kind](seed, richness).record()


def raw_records(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Valid records as they arrive: some without the fields that intake derives."""
    return st.builds(make, st.just(kind), st.integers(0, 2**32 - 1), st.sampled_from(RICHNESS))


def records(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Validated records, as the rest of the house sees them."""
    return raw_records(kind).map(lambda raw: room.load(kind, raw))


def any_records() -> st.SearchStrategy[dict[str, Any]]:
    """Validated records of any kind that may be taken in."""
    return st.sampled_from(room.KINDS).flatmap(records)
