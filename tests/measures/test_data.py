"""`mappings/measures.yaml`: every row has a source, and every mistake is refused by file and row."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from adapter import catalog
from adapter.errors import ConfigError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return shutil.copytree(catalog.mappings_path(), tmp_path / "mappings")


def test_every_number_that_somebody_published_is_cited() -> None:
    found = catalog.load().measures
    assert all(one.citation for one in (*found.thresholds, *found.dose_limits, *found.migraine_days, *found.chronic))
    limit = found.dose_limits[0]
    assert (limit.agent, limit.mg_per_kg, limit.max_mg) == ("lidocaine", Decimal("4.5"), Decimal("300"))
    (nrs,) = [one for one in found.thresholds if one.instrument == "nrs_0_10"]
    assert (nrs.change, nrs.percent) == (2, 30)


def test_every_time_point_has_a_default_window() -> None:
    found = catalog.load()
    assert set(found.measures.windows) == set(found.lists["timepoint"].codes)


MISTAKES = [
    ("instrument: hit6", "instrument: hit7", "'hit7' is not an instrument"),
    ('change: "2.5"', "change: 2.5", "change is not text"),
    ('change: "2.5"', 'change: "2,5"', "change is not a quoted decimal"),
    ("agent: lidocaine", "agent: lidocain", "'lidocain' is not in the list 'agent'"),
    ("    citation: US label of lidocaine without adrenaline\n", "", "'citation' is missing"),
    ('months: "3"', "months: 3", "months is not text"),
    ("features: 2", 'features: "2"', "features is not a whole number"),
    ("drugs: [triptan]", "drugs: triptan", "drugs is not a list of codes"),
    ("offset: P7D", "offset: P1W2D", "offset is not a duration of one unit"),
    ("  w1: {", "  w9: {", "'w9' is not in the list 'timepoint'"),
    ("{anchor: procedure_end, offset: P7D", "{anchor: birth, offset: P7D", "'birth' is not in the list 'anchor-event'"),
    ("population: chronic migraine\n", "population: chronic migraine\n    cut: 6\n", "unknown word 'cut'"),
    ("hit6-primary-care-roc:", "HIT6:", "a row is named in lower case"),
    ("windows:\n", "window:\n", "has the sections"),
]


@pytest.mark.parametrize(("old", "new", "reason"), MISTAKES)
def test_mistakes(root: Path, old: str, new: str, reason: str) -> None:
    file = root / "measures.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        catalog.load(root)
    assert str(error.value).startswith("measures.yaml: ")
    assert reason in str(error.value)


def test_a_changed_threshold_is_another_version_of_the_mappings(root: Path) -> None:
    before = catalog.load(root).version
    with (root / "measures.yaml").open("a") as file:
        file.write("\n")
    assert catalog.load(root).version != before
