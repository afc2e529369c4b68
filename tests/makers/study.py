"""Arbitrary valid studies."""

from __future__ import annotations

from typing import Any

from .base import Maker


class StudyMaker(Maker):
    kind = "study"

    def meta(self) -> dict[str, Any]:
        return super().meta() | {"synthetic": True}

    def obey(self, body: dict[str, Any]) -> None:
        rnd = self.rnd
        body["study_id"] = rnd.choice(("NCT00000000", "HD-PS-01", "REG/2026:1"))
        if "identifiers" in body:
            body["identifiers"] = rnd.sample(("NCT00000000", "EUCT-2026-1", "local:7"), rnd.randint(1, 3))
        for name, part in (("eligibility", "criterion_id"), ("arms", "arm_id"), ("sites", "site_id")):
            for number, item in enumerate(body.get(name, ()), 1):
                item[part] = f"{part[0].upper()}{number}"
        codes = self.rnd.sample(("baseline", "h1", "w1", "m1", "m3"), 3)
        for item, code in zip(body.get("timepoints", ()), codes, strict=False):
            item["code"] = code
        self.masking(body)
        self.numbers(body)
        known = [item["arm_id"] for item in body.get("arms", ())]
        for item in body.get("arms", ()):
            if "period_sequence" in item:
                item["period_sequence"] = rnd.choices(known, k=rnd.randint(1, 3))
        for item in body.get("eligibility", ()):
            self.computable(item)

    def masking(self, body: dict[str, Any]) -> None:
        """A randomised study says its unit, ratio and masking, or why not."""
        if body.get("allocation") == "randomised" or body.get("design") == "prospective_rct":
            for name in ("masking_level", "randomisation_unit", "ratio"):
                if name not in body:
                    self.excuse(name)
        if body.get("masking_level") == "open":
            body.pop("masking_roles", None)
        elif "masking_level" in body and "masking_roles" not in body:
            self.excuse("masking_roles")

    def numbers(self, body: dict[str, Any]) -> None:
        """Ages in order, sizes that add up."""
        if "age_min" in body and "age_max" in body:
            body["age_min"], body["age_max"] = sorted((body["age_min"], body["age_max"]))
        sizes = [item.get("planned_size") for item in body.get("arms", ())]
        if sizes and None not in sizes and "planned_enrolment" in body:
            for item in body["arms"]:
                item["planned_size"] = self.rnd.randint(1, 300)
            body["planned_enrolment"] = sum(item["planned_size"] for item in body["arms"])

    def computable(self, item: dict[str, Any]) -> None:
        """A computable rule is whole, or not there."""
        if "measure" in item:
            item.setdefault("op", "ge")
            item.setdefault("value", 50)
        else:
            for name in ("op", "value", "timepoint", "anchor_purpose"):
                item.pop(name, None)
