"""Closed lists and bounds come from the catalog, which can be replaced for a whole process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter import catalog, records
from adapter.errors import ConfigError

from .helpers import changed, faults


@pytest.fixture
def own():
    """The default catalog, put back afterwards."""
    default = catalog.load()
    yield default
    records.configure(default)


def test_a_code_added_to_a_list_is_taken_at_once(own):
    obj = changed("subject", {"sex": "intersex"})
    assert faults(obj) == {("sex", "code")}
    sexes = replace(own.lists["sex"], codes={**own.lists["sex"].codes, "intersex": "Intersex"})
    records.configure(replace(own, lists={**own.lists, "sex": sexes}))
    assert records.load(None, obj)["sex"] == "intersex"


def test_a_new_bound_of_an_instrument_holds_at_once(own):
    obj = changed("pain_outcome", {"score": 11, "scale_max": 11})
    assert ("scale_max", "V1.scale") in faults(obj)
    wider = replace(own.instruments["nrs_0_10"], max=records.load(None, changed("pain_outcome", {}))["score"] + 8)
    records.configure(replace(own, instruments={**own.instruments, "nrs_0_10": wider}))
    assert records.load(None, obj)["score"] == 11


def test_a_list_that_is_missing_stops_by_name(own):
    lists = {name: each for name, each in own.lists.items() if name != "laterality"}
    records.configure(replace(own, lists=lists))
    with pytest.raises(ConfigError, match="laterality"):
        records.load(None, {"kind": "subject"})
