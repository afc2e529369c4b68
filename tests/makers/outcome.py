"""What the makers of outcomes share: an offset that agrees with the time point, a reason for what was not done."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapter.catalog import Instrument
from adapter.records.derive import standard_offset
from adapter.records.lists import codes

from .base import Maker


class OutcomeMaker(Maker):
    results: tuple[str, ...] = ()

    def obey(self, body: dict[str, Any]) -> None:
        self.scale(body)
        self.offset(body)
        if body["score_status"] == "not_done":
            for name in self.results:
                body.pop(name, None)
                self.reasons.pop(name, None)
            body["missing_reason"] = self.rnd.choice(codes("absent-reason"))
        else:
            body.pop("missing_reason", None)
            self.full_time(body)
        if body.get("body_site") == "other" and "body_site_text" not in body:
            body["body_site_text"] = self.text(200)

    def scale(self, body: dict[str, Any]) -> None:
        """A result on the instrument's scale."""

    def on_scale(self, tool: Instrument, low: Decimal, high: Decimal) -> Any:
        """A value within the bounds and on the step."""
        if tool.step is None:
            return self.decimal(low, high)
        score = low + tool.step * self.rnd.randint(0, int((high - low) / tool.step))
        whole = score == score.to_integral_value()
        return self.rnd.choice((score, score.quantize(Decimal("0.01")), int(score) if whole else score))

    def offset(self, body: dict[str, Any]) -> None:
        """A nominal offset that agrees with the time point, left out, or excused."""
        code = body.get("timepoint_code")
        said = standard_offset(code) if code else None
        choices = [None, said]
        if code == "baseline":
            choices = [None, "PT0S", "P0D"]
        elif code in ("screening", "immediate") or said is None:
            choices = [None, "PT10M", "P3D", "P5W"]
        found = self.rnd.choice(choices)
        body.pop("nominal_offset", None)
        if found is not None:
            body["nominal_offset"] = found
        elif said is None or self.maybe(0.1):
            self.excuse("nominal_offset")

    def full_time(self, body: dict[str, Any]) -> None:
        """An hour-scale time point has a full time."""
        offset = body.get("nominal_offset") or standard_offset(body.get("timepoint_code", "")) or "P1D"
        if offset.startswith("PT") and offset != "PT0S":
            body["assessed_at"] = self.instant(self.before())
