"""Arbitrary valid adverse events."""

from __future__ import annotations

from typing import Any

from adapter.records.adverse_event import GOING_ON, SUSPECTED

from .base import Maker


class AdverseEventMaker(Maker):
    kind = "adverse_event"

    def obey(self, body: dict[str, Any]) -> None:
        times = sorted(self.before(400) for _ in range(4))
        for name, place in (("onset_at", 0), ("aware_at", 1), ("reported_at", 2), ("end_at", 3)):
            if name in body:
                body[name] = self.moment(times[place]) if name in ("onset_at", "end_at") else self.instant(times[place])
        self.ending(body)
        self.seriousness(body)
        self.causes(body)
        if body.get("ae_code") == "other":
            body.setdefault("ae_term", self.text(200))

    def ending(self, body: dict[str, Any]) -> None:
        """An end, or none, by how it ended."""
        outcome = body.get("ae_outcome")
        if outcome in GOING_ON:
            body.pop("end_at", None)
        elif outcome in ("resolved", "fatal") and "end_at" not in body:
            self.excuse("end_at")
        if ("grade" in body) != ("grading_scale" in body):
            body.setdefault("grading_scale", "local")
            body.setdefault("grade", 2)
        if "grade" in body and outcome is not None:
            body["grade"] = 5 if outcome == "fatal" else self.rnd.randint(1, 4)

    def seriousness(self, body: dict[str, Any]) -> None:
        """Criteria when serious, death among them when it was fatal."""
        fatal = body.get("ae_outcome") == "fatal"
        if fatal and "serious" in body:
            body["serious"] = True
        if not body.get("serious"):
            body.pop("serious_criteria", None)
            return
        for name in ("serious_criteria", "aware_at", "reported_at"):
            if name not in body:
                self.excuse(name)
        if "serious_criteria" in body and "ae_outcome" in body:
            others = [code for code in body["serious_criteria"] if code != "death"]
            body["serious_criteria"] = [*others, "death"] if fatal else others or ["important_medical"]

    def causes(self, body: dict[str, Any]) -> None:
        """Suspects when a relation is suspected; the procedure only where there is one."""
        if body.get("relatedness") == "unrelated":
            body.pop("suspect", None)
        elif body.get("relatedness") in SUSPECTED and "suspect" not in body:
            self.excuse("suspect")
        if "procedure_id" not in body and "procedure" in body.get("suspect", ()):
            body["procedure_id"] = self.key()
