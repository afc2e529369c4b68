"""Arbitrary valid procedures."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from adapter.records.procedure_rules import (
    AFTERWARDS,
    AGENTS_OF,
    DONE,
    NEEDS_INJECTATE,
    NERVE_TECHNIQUES,
    NO_STRENGTH,
    ONLY_IF_DONE,
)

from .base import Maker

PLANES = ("trapezius", "rhomboid", "gluteus_maximus", "piriformis", "hamstrings", "quadriceps")


class ProcedureMaker(Maker):
    kind = "procedure"

    def obey(self, body: dict[str, Any]) -> None:
        if self.maybe(0.6):
            body["performed_status"] = "completed"
        self.done = body["performed_status"] in DONE
        self.times(body)
        self.status(body)
        self.targets(body)
        self.injectate(body)
        self.fittings(body)
        if body["technique"] == "other":
            body.setdefault("technique_verbatim", self.text(500))

    def times(self, body: dict[str, Any]) -> None:
        """Start before end before the record; lots not expired."""
        start = self.before(900) - timedelta(days=2)
        if "started_at" in body:
            body["started_at"] = self.moment(start)
        if "ended_at" in body:
            body["ended_at"] = self.moment(start + timedelta(minutes=self.rnd.randint(1, 90)))
        self.unexpired = start + timedelta(days=self.rnd.randint(1, 900))

    def status(self, body: dict[str, Any]) -> None:
        """Reasons for what was not completed; no results of what was not done."""
        if body["performed_status"] == "completed":
            body.pop("not_done_reason", None)
        elif body["performed_status"] != "planned" and "not_done_reason" not in body:
            self.excuse("not_done_reason")
        if not self.done:
            for name in ONLY_IF_DONE:
                body.pop(name, None)
            for item in body.get("targets", ()):
                for name in AFTERWARDS:
                    item.pop(name, None)
            if body.get("complications") != ["none"]:
                body.pop("complications", None)

    def targets(self, body: dict[str, Any]) -> None:
        """Numbers 1 to n in any order; planes that differ; layers only where there is a plane."""
        items = body.get("targets", [])
        numbers = self.rnd.sample(range(1, len(items) + 1), len(items))
        for item, number in zip(items, numbers, strict=True):
            item["target_no"] = number
            upper, lower = self.rnd.sample(PLANES, 2)
            for name, plane in (("plane_superficial", upper), ("plane_deep", lower)):
                if name in item or body["technique"] == "interfascial_hydrodissection":
                    item[name] = plane
            if item.get("structure_type") == "nerve" and not {"plane_superficial", "plane_deep"} & set(item):
                item.pop("layers_before", None)
                item.pop("layers_after", None)
        if items and body["technique"] in NERVE_TECHNIQUES:
            items[0]["structure_type"] = "nerve"
            if not {"plane_superficial", "plane_deep"} & set(items[0]):
                items[0].pop("layers_before", None)
                items[0].pop("layers_after", None)

    def injectate(self, body: dict[str, Any]) -> None:
        """What the technique makes legal, with volumes that add up."""
        technique = body["technique"]
        for name in ("injectate_stated", "injectate_total_ml"):
            body.pop(name, None)
        parts = body.pop("injectate_components", [])
        for item in body.get("targets", ()):
            item.pop("volume_ml", None)
        if "skin_anaesthetic" in body:
            self.component(body["skin_anaesthetic"], "skin_anaesthetic.")
        if technique == "dry_needling":
            if self.maybe():
                body["injectate_stated"] = False
            if self.done:
                for name in ("needle_passes", "twitch_response"):
                    if name not in body:
                        self.excuse(name)
            return
        body.pop("needle_passes", None)
        body.pop("twitch_response", None)
        how = self.rnd.choice(("stated", "stated", "stated", "not_stated", "unknown"))
        if how == "stated" and parts:
            body["injectate_stated"] = True
            body["injectate_components"] = parts
            self.volumes(body)
            return
        if how == "unknown":
            self.excuse("injectate_stated")
        else:
            body["injectate_stated"] = False
        if self.done and technique in NEEDS_INJECTATE:
            self.excuse("injectate_components")

    def volumes(self, body: dict[str, Any]) -> None:
        """Components and targets that sum to the total, within a tenth; some left out with a reason."""
        total = Decimal(0)
        for number, item in enumerate(body["injectate_components"], 1):
            self.component(item, f"injectate_components.{number}.")
            total += Decimal(item.get("volume_ml", 0))
        whole = all("volume_ml" in item for item in body["injectate_components"])
        stated = total + self.rnd.choice((Decimal("0"), Decimal("0.1"), Decimal("0.00")))
        if not Decimal("0.3") <= stated <= 50 or (not whole and self.maybe()):
            if self.done:
                self.excuse("injectate_total_ml")
            return
        body["injectate_total_ml"] = stated
        rest, items = stated, body.get("targets", [])
        for number, item in enumerate(items, 1):
            share = rest if number == len(items) else min(rest / 2, Decimal("5")).quantize(Decimal("0.01"))
            if share < Decimal("0.1") or self.maybe(0.15):
                self.excuse(f"targets.{number}.volume_ml")
            else:
                item["volume_ml"] = share
                rest -= share

    def component(self, item: dict[str, Any], prefix: str) -> None:
        """An agent of its class, with a legal strength and volume."""
        kind = item["agent_class"]
        if "agent" in item:
            item["agent"] = self.rnd.choice((*AGENTS_OF.get(kind, ()), "unspecified"))
        for name in ("conc_value", "conc_unit", "volume_ml"):
            item.pop(name, None)
        if kind not in NO_STRENGTH:
            if self.maybe(0.8):
                item["conc_unit"] = self.rnd.choice(("percent_wv", "mg_per_ml"))
                item["conc_value"] = self.rnd.choice((4, Decimal("0.9"), Decimal("1.00"), Decimal("0.125")))
            else:
                self.excuse(prefix + "conc_value")
        if self.maybe(0.8):
            item["volume_ml"] = self.rnd.choice((2, Decimal("0.5"), Decimal("4.50"), Decimal("10.0")))
        elif self.done:
            self.excuse(prefix + "volume_ml")
        if "expiry" in item:
            item["expiry"] = self.partial(self.unexpired)

    def fittings(self, body: dict[str, Any]) -> None:
        """Probe with ultrasound, gauge or diameter by needle, complications when assessed, evidence with
        response.
        """
        if "ultrasound" not in body.get("guidance", ()):
            for name in ("probe_type", "probe_mhz", "image_saved"):
                body.pop(name, None)
        body.pop("needle_gauge" if body.get("needle_kind") == "filiform" else "needle_diameter_mm", None)
        if not body.get("ae_assessed"):
            body.pop("complications", None)
        elif "complications" not in body:
            self.excuse("complications")
        if body.get("immediate_response") in (None, "not_assessed"):
            body.pop("immediate_response_evidence", None)
