"""Arbitrary valid derived measures: any labels together, since no formula is asked."""

from __future__ import annotations

from typing import Any

from adapter.records.derived_measure import VALUES
from adapter.records.fields import Pattern
from adapter.records.lists import units
from adapter.records.times import later

from .base import Maker


class DerivedMeasureMaker(Maker):
    kind = "derived_measure"

    def meta(self) -> dict[str, Any]:
        return super().meta() | {"source_system": "hydrofhir"}

    def pattern(self, field: Pattern) -> str:
        return self.rnd.choice(("1", "2", "9999"))

    def obey(self, body: dict[str, Any]) -> None:
        kept = self.rnd.choice([name for name in VALUES if name in body] or ["value_flag"])
        for name in (*VALUES, "value_unit"):
            if name != kept:
                body.pop(name, None)
        body.setdefault(kept, self.maybe())
        if kept == "value_number":
            body["value_unit"] = self.rnd.choice(sorted(units()))
        if "at" in body and "until" in body and later(body["at"], body["until"]):
            body["at"], body["until"] = body["until"], body["at"]
        if "procedure_id" not in body:
            body.pop("procedure_version", None)

    def settle(self, raw: dict[str, Any]) -> None:
        if raw["record_status"] == "entered_in_error" and "undefined" not in raw:
            raw["record_status"] = "final" if raw["version"] == 1 else "amended"
        super().settle(raw)
