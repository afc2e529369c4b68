"""What a story must come to, written by hand: `expect.yaml` beside its records, the independent truth beside the golden files.

One entry for each number and statement of the scenario; `says` tells it in words. Records are named by their key in the
source (source_record_id). A selector that finds nothing fails, and so does a word that is not known.

    after: 1                   after the first step; the last one where it is not said
    derived: {formula: ...}    exactly one derived value (`subject`, `procedure`, `timepoint`, `scope`, or a label of it)
      is: 71.4                   printed to as many decimals; or true, false, a time
      undefined: baseline_zero   no value, for this reason
      inputs: [[17-13, 1], ...]  the records and versions that it rests on, in their order
    refused: {record: ...}     the intake refused a record in this step, with this field, rule, limit; also `waiting`
    flagged: {record: ...}     a flag stands in the store after this step
    unflagged: 17-3            the record is kept and has no flag
    kept: 17-16                the record is kept; `version`, `fields`: path -> value
    not_kept: 17-20            the record was offered and is not there
    element: Observation.status   what this path of the record `of` holds (tests/checklist/places.py): `is`, or `count`;
                                  a path for each version, or for one, as {R4: ..., R5: ...}
    lacks: Observation.value      the record `of` has such a resource, and nothing at this path, where other records have
    counts: {unchanged: 8}     counts of the step's report, 0 for none
    same_as: clean.ndjson      what stands is what that file alone would have left, in its order
    unchanged: 17-16           its resources are what they were after the step `since`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from adapter import codec
from adapter.catalog.rows import Loader
from adapter.measures import written
from tests import stories
from tests.checklist.places import assert_holds, place
from tests.stories import VERSIONS, State

Entry = dict[str, Any]
HEAD = {"says", "after"}
OWN = ("subject_id", "study_id", "procedure_id")


@dataclass(frozen=True)
class Value:
    """One derived value, however it was come by: told apart by `about`, with the records and versions it rests on."""

    about: dict[str, str]
    value: Any
    undefined: str | None
    inputs: tuple[tuple[str, int], ...]


def entries(story: Path) -> list[Entry]:
    """The hand-written expectations of a story."""
    return list(yaml.load((story / "expect.yaml").read_text(), Loader=Loader))


def values(state: State) -> list[Value]:
    """What the records that are kept come to. The one place that knows where derived values are found: whoever finds them
    elsewhere (on a server, as Observations) gives `check_value` the same list."""
    found = []
    for line in state.derived.splitlines():
        told = codec.loads_wire(line)
        about = {"formula": told["formula"], **told.get("labels", {})}
        about |= {name.removesuffix("_id"): told[name] for name in OWN if name in told}
        about |= {name: told[name] for name in ("timepoint", "scope", "unit", "at") if name in told}
        inputs = tuple((one["record_id"], one["version"]) for one in told["inputs"])
        found.append(Value(about, told.get("value"), told.get("undefined"), inputs))
    return found


def check_value(entry: Entry, found: list[Value], names: dict[str, str]) -> None:
    """An entry with `derived`, against derived values."""
    wanted = {name: str(value) for name, value in entry["derived"].items()}
    fits = [one for one in found if wanted.items() <= one.about.items()]
    assert len(fits) == 1, f"{len(fits)} values of {wanted}: {[one.about for one in fits] or 'nothing'}"
    (one,) = fits
    if "undefined" in entry:
        assert (one.undefined, one.value) == (entry["undefined"], None)
    else:
        assert one.undefined is None, one.undefined
        assert _printed(one.value, entry["is"]) == entry["is"]
    if "inputs" in entry:
        assert list(one.inputs) == [(names[str(name)], version) for name, version in entry["inputs"]]


def check_element(entry: Entry, version: str, pool: list[dict[str, Any]]) -> None:
    """An entry with `element`, against the resources of its record."""
    path = _of(entry["element"], version)
    if "count" in entry:
        assert len(place(pool, path)) == entry["count"] > 0, path
        return
    expected = _of(entry["is"], version)
    assert expected not in ([], None), "say lacks"
    assert_holds(pool, path, expected if isinstance(expected, list) else [expected])


def _printed(value: Any, like: Any) -> Any:
    """A value as it is printed with as many decimals as the expected number has."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return value
    return written(value, -int(Decimal(like).as_tuple().exponent))


class Story:
    """A story that was played, and the checks of its entries."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.states, self.names = folder, stories.played(folder), stories.names(folder)

    def check(self, entry: Entry) -> None:
        """Fails with what was found where an expectation is not met."""
        assert str(entry["says"]).strip()
        (word,) = CHECKS.keys() & entry.keys()
        method, more = CHECKS[word]
        assert entry.keys() <= {word, *more, *HEAD}, entry.keys() - {word, *more, *HEAD}
        method(self, entry, self.states[entry.get("after", len(self.states)) - 1])

    def value(self, entry: Entry, state: State) -> None:
        check_value(entry, values(state), self.names)

    def said(self, entry: Entry, state: State) -> None:
        outcome = "refused" if "refused" in entry else "waiting"
        wanted = {name: str(value) for name, value in entry[outcome].items()}
        record = self.names[wanted.pop("record")]
        issues = [i.as_dict() for said, i in state.said if said == outcome and i.record == record]
        assert any(wanted.items() <= one.items() for one in issues), issues
        if outcome == "waiting":
            assert record in state.waiting

    def flagged(self, entry: Entry, state: State) -> None:
        wanted = {name: str(value) for name, value in entry["flagged"].items()}
        record = self.names[wanted.pop("record")]
        flags = [{"rule": f.rule, "field": f.field, "limit": f.bound} for f in state.flags if f.record_id == record]
        assert any(wanted.items() <= one.items() for one in flags), flags

    def unflagged(self, entry: Entry, state: State) -> None:
        record = self.names[str(entry["unflagged"])]
        assert record in state.kept
        assert [flag.rule for flag in state.flags if flag.record_id == record] == []

    def kept(self, entry: Entry, state: State) -> None:
        record = state.kept[self.names[str(entry["kept"])]]
        assert record["version"] == entry.get("version", record["version"])
        for path, value in entry.get("fields", {}).items():
            there: Any = record
            for step in path.split("."):
                there = there[int(step) - 1] if step.isdigit() else there[step]
            assert str(there) == str(value), path

    def not_kept(self, entry: Entry, state: State) -> None:
        assert self.names[str(entry["not_kept"])] not in state.kept

    def element(self, entry: Entry, state: State) -> None:
        for version in versions(entry["element"]):
            check_element(entry, version, state.resources(version, self.names[str(entry["of"])]))

    def lacks(self, entry: Entry, state: State) -> None:
        for version in versions(entry["lacks"]):
            path = _of(entry["lacks"], version)
            own = state.resources(version, self.names[str(entry["of"])])
            assert place(own, path.partition(".")[0]), f"no {path.partition('.')[0]} at all"
            assert place(own, path) == [], path
            assert any(place(state.resources(version), path) for state in self.states), f"nothing ever has {path}"

    def counts(self, entry: Entry, state: State) -> None:
        assert any(entry["counts"].values())
        assert {name: state.counts.get(name, 0) for name in entry["counts"]} == entry["counts"]

    def same_as(self, entry: Entry, state: State) -> None:
        file = self.folder / entry["same_as"]
        assert file.exists()
        clean = stories.play([file])[-1]
        assert clean.kept
        assert not clean.said
        same = [replace(one, file=self.folder, counts={}, said=()) for one in (clean, state)]
        assert [codec.dumps(r) for r in same[0].kept.values()] == [codec.dumps(r) for r in same[1].kept.values()]
        assert same[0] == same[1]

    def unchanged(self, entry: Entry, state: State) -> None:
        record, former = self.names[str(entry["unchanged"])], self.states[entry["since"] - 1]
        assert former is not state
        for version in VERSIONS:
            assert state.resources(version, record) == former.resources(version, record)


def versions(path: Any) -> Iterable[str]:
    """The versions that a path is of: the one that it names, or both."""
    return path if isinstance(path, dict) else VERSIONS


def _of(told: Any, version: str) -> Any:
    return told[version] if isinstance(told, dict) else told


CHECKS: dict[str, tuple[Callable[[Story, Entry, State], None], set[str]]] = {
    "derived": (Story.value, {"is", "undefined", "inputs"}),
    "refused": (Story.said, set()),
    "waiting": (Story.said, set()),
    "flagged": (Story.flagged, set()),
    "unflagged": (Story.unflagged, set()),
    "kept": (Story.kept, {"version", "fields"}),
    "not_kept": (Story.not_kept, set()),
    "element": (Story.element, {"of", "is", "count"}),
    "lacks": (Story.lacks, {"of"}),
    "counts": (Story.counts, set()),
    "same_as": (Story.same_as, set()),
    "unchanged": (Story.unchanged, {"since"}),
}
