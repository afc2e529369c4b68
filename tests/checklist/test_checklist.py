"""Every item that the source documents name goes record to FHIR to record, in both versions, and a named element holds it.

The id of a test is the row id of the domain model with the FHIR version: `pytest tests/checklist -k 0-17-R5`.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from adapter import codec
from adapter.assembly import assemble
from adapter.measures import derive
from adapter.mill import Mill
from tests.checklist.places import assert_holds, place
from tests.checklist.table import DOCUMENTS, IDS, Row, rows
from tests.measures.story import of

VERSIONS = ("R4", "R5")
MILLS = {version: Mill(assemble(), version) for version in VERSIONS}
ROWS = rows()
DOMAIN = Path(__file__).parents[3] / "shared" / "domain.md"


@pytest.mark.parametrize(
    ("row", "version"), [pytest.param(row, version, id=f"{row.id}-{version}") for row in ROWS for version in VERSIONS]
)
def test_item(row: Row, version: str) -> None:
    mill, sent = MILLS[version], row.records()
    pool = [codec.loads_wire(data) for record in sent for _, _, data in mill.resources(record)]  # through the gate
    for path, expected in row.places[version].items():
        assert_holds(pool, path, expected if isinstance(expected, list) else [expected])
    random.Random(row.id).shuffle(pool)
    back = {}
    for taken in mill.records(pool):
        assert taken.record is not None, [str(issue) for issue in taken.issues]
        back[taken.record["record_id"]] = taken.record
    assert {name: codec.dumps(record) for name, record in back.items()} == {
        record["record_id"]: codec.dumps(record) for record in sent
    }
    if row.derives:
        found = derive(list(back.values()))
        for told in row.derives:
            wanted = {name: value for name, value in told.items() if name not in ("formula", "is")}
            given = [
                one.value if one.undefined is None else one.undefined for one in of(found, told["formula"], **wanted)
            ]
            assert given == [told["is"]], told


def test_every_item_has_its_row_once() -> None:
    assert tuple(row.id for row in ROWS) == IDS
    assert len(IDS) == sum(DOCUMENTS.values()) == 140
    assert len({row.item for row in ROWS}) == len(ROWS), "an item is told apart by its words"


@pytest.mark.parametrize("version", VERSIONS)
def test_what_must_be_empty_is_a_place_that_other_items_fill(version: str) -> None:
    """A misspelt path is empty too."""
    empty = {path for row in ROWS for path, expected in row.places[version].items() if expected == []}
    parts = [part for row in ROWS for record in row.records() for part in MILLS[version].resources(record)]
    everything = [codec.loads_wire(data) for _, _, data in parts]
    assert {path for path in empty if not place(everything, path)} == set()
    assert empty


def test_the_row_ids_are_those_of_the_domain_model() -> None:
    if not DOMAIN.is_file():
        pytest.skip("the domain model is not beside this checkout")
    assert tuple(re.findall(r"^\| ([0-3]-\d\d) \|", DOMAIN.read_text(), re.MULTILINE)) == IDS
