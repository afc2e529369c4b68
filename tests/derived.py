"""What follows from records, as records: for tests that look at more than one kind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import Any

from adapter import codec, pipeline, records
from adapter.derivation import bring_up_to_date
from adapter.records.intake import Entry
from adapter.report import Report
from adapter.store import Store
from tests.measures.story import Story
from tests.measures.test_scenarios import trial

Record = dict[str, Any]


def whole_trial() -> list[Record]:
    """S01 with all that its records refer to."""
    story = Story()
    results = records.example("enrolment")["eligibility_results"]
    bare = [{name: value for name, value in one.items() if not name.startswith("evidence")} for one in results]
    parents = [story.make("subject", "s", {}), story.make("enrolment", "e", {"eligibility_results": bare})]
    return [*parents, *trial()]


def kept(store: Store, **wanted: Any) -> list[Record]:
    """The derived measures in a store, as they stand, narrowed by fields; by record id."""
    found = [records.load(one.kind, codec.loads(one.body)) for one in store.iter_records(records.DERIVED)]
    fits = [one for one in found if all(one.get(name) == value for name, value in wanted.items())]
    return sorted(fits, key=lambda one: one["record_id"])


def derived_of(some: Iterable[Record]) -> list[Record]:
    """Everything that follows from these records."""
    with tempfile.TemporaryDirectory() as folder, Store(f"sqlite:///{folder}/s.sqlite") as store:
        taken = pipeline.intake(store, (Entry(n, r) for n, r in enumerate(some, 1)), Report("intake"))
        assert not taken.issues, [str(issue) for issue in taken.issues]
        report = bring_up_to_date(store, Report("derive"))
        assert not report.issues, [str(issue) for issue in report.issues]
        return kept(store)
