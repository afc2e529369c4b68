"""Graphs that others wrote: read where there is one answer, refused with the reason where not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from adapter import codec, records
from adapter.assembly import assemble
from adapter.fhir.safe import unsafe
from adapter.mill import Mill, Stranger, Taken
from tests.foreign.cases import CASES
from tests.foreign.table import Case, at
from tests.foreign.writers import patient, score

MILLS = {version: Mill(assemble(), version) for version in ("R4", "R5")}
WARD = Stranger("ward-7", "UTC")


def taken(version: str, resources: list[dict[str, Any]]) -> dict[str, Taken]:
    """What becomes of each root among these resources, by Type/id; as they come over the wire."""
    wire = [codec.loads_wire(codec.dumps(one)) for one in resources]
    assert [str(issue) for one in wire for issue in unsafe(MILLS[version].gate, one)] == []
    return {one.found.reference: one for one in MILLS[version].records(wire, WARD)}


@pytest.mark.parametrize(
    ("case", "version"), [pytest.param(c, v, id=f"{c.name}-{v}") for c in CASES for v in c.versions]
)
def test_case(case: Case, version: str) -> None:
    resources = case.make(version)
    for pool in (resources, resources[::-1]):  # the order in which resources come means nothing
        found = taken(version, pool)
        if case.alone:
            assert case.root not in found
            continue
        one = found[case.root]
        told = sorted((issue.field, issue.rule) for issue in one.issues)
        if case.refused:
            assert one.record is None, codec.dumps(one.record)
            assert case.refused in told
            assert all(issue.record == case.root for issue in one.issues)
            continue
        assert one.record is not None, told
        assert (one.record["source_system"], one.record["source_record_id"]) == ("ward-7", case.root)
        assert one.record["blinding_class"] == "allocation"
    if case.fields:
        record = taken(version, resources)[case.root].record
        assert {path: text(at(record, path)) for path in case.fields} == {p: text(v) for p, v in case.fields.items()}


def text(value: Any) -> str | None:
    """Digit by digit, so that 32.0 is not 32."""
    return None if value is None else codec.dumps(value).decode()


def test_every_kind_of_record_has_cases_of_both_sorts_and_no_two_share_a_name() -> None:
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []
    kinds: dict[str, set[bool]] = {kind: set() for kind in records.KINDS}
    for case in CASES:
        for version in case.versions:
            for root, one in taken(version, case.make(version)).items():
                if root == case.root:
                    kinds[one.found.kind].add(one.record is None)
    assert kinds == {kind: {True, False} for kind in records.KINDS}


def test_without_leave_nothing_foreign_is_read() -> None:
    assert list(MILLS["R4"].records([patient(), score()])) == []
