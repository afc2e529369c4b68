"""Arbitrary valid pain outcomes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapter.records.lists import codes, instruments

from .outcome import OutcomeMaker


class PainOutcomeMaker(OutcomeMaker):
    kind = "pain_outcome"
    results = ("score", "pct_relief_reported")

    def scale(self, body: dict[str, Any]) -> None:
        """A score on the instrument's scale and step; bounds sometimes given."""
        tool = instruments()[body["instrument"]]
        low, high, direction = tool.min, tool.max, tool.direction
        given = self.maybe(self.richness)
        for name in ("scale_min", "scale_max", "direction"):
            body.pop(name, None)
        if low is None or high is None or direction is None:
            low, high, given = low or Decimal("0"), high or Decimal("100.0"), True
            direction = direction or self.rnd.choice(codes("scale-direction"))
        if given:
            body |= {"scale_min": low, "scale_max": high, "direction": direction}
        body["score"] = self.on_scale(tool, low, high)
