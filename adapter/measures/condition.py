"""Whether a condition is chronic: its stated duration reaches a number of months, which is data (`chronic` in
mappings/measures.yaml).

An onset known by month or year gives no duration: only what the record states counts. Other than the scores, a
condition has no procedure and no time point.
"""

from __future__ import annotations

from typing import Any

from adapter.catalog import Chronic

from .chart import Chart
from .exact import exact
from .model import Derived, Undefined, attempt, derived


def chronic(definition: Chronic, condition: dict[str, Any]) -> bool:
    """Whether a condition counts as chronic; to reach the limit is enough. Undefined where no duration is stated."""
    if "duration_months" not in condition:
        raise Undefined("duration_missing")
    return exact(condition["duration_months"]) >= exact(definition.months)


def conditions(chart: Chart) -> list[Derived]:
    """Every condition of the subject by every definition; it is as of the time of the record."""
    return [
        derived(
            f"chronic-{definition.name}", (subject["record_id"], condition["condition_id"]),
            attempt(chronic, definition, condition), [subject],
            subject_id=subject["subject_id"], at=subject["recorded_at"],
            labels={name: condition[name] for name in ("condition_id", "condition_code")},
        )
        for subject in chart.of_kind("subject")
        for condition in subject.get("conditions", ())
        for definition in chart.catalog.measures.chronic
    ]  # fmt: skip
