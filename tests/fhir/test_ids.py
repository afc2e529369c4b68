"""Ids are UUIDv5 of the whole key, the same in every run, and no two keys share one."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir.ids import resource_id

SPACE = uuid.UUID("7d1c6a1e-5a77-4f0e-9a55-9f0c1b2d3e4f")
WORD = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
KEY = st.tuples(WORD, st.lists(WORD, min_size=1, max_size=3).map(tuple), WORD)


@given(st.uuids(), KEY)
def test_equal_to_the_standard_library(space: uuid.UUID, key: tuple[str, tuple[str, ...], str]) -> None:
    kind, parts, part = key
    assert resource_id(space, kind, parts, part) == str(uuid.uuid5(space, "\x1f".join((kind, *parts, part))))


@given(KEY, KEY)
def test_different_keys_never_meet(
    one: tuple[str, tuple[str, ...], str], two: tuple[str, tuple[str, ...], str]
) -> None:
    assert (resource_id(SPACE, *one) == resource_id(SPACE, *two)) == (one == two)


def test_the_boundary_between_key_and_part_counts() -> None:
    ids = {
        resource_id(SPACE, "procedure", ("s", "p")),
        resource_id(SPACE, "procedure", ("s",), "p"),
        resource_id(SPACE, "procedure", ("sp",)),
        resource_id(SPACE, "procedure", ("s", "p"), "target"),
    }
    assert len(ids) == 4


def test_fixed_forever() -> None:
    assert resource_id(SPACE, "subject", ("s-1",)) == str(uuid.uuid5(SPACE, "subject\x1fs-1\x1f"))
