"""Arbitrary valid days and periods of a headache diary."""

from __future__ import annotations

from typing import Any

from adapter.records.headache_day import OF_A_HEADACHE

from .base import Maker


class HeadacheDayMaker(Maker):
    kind = "headache_day"

    def obey(self, body: dict[str, Any]) -> None:
        entered = self.before(300)
        if "entered_at" in body:
            body["entered_at"] = self.instant(entered)
        body["diary_date"] = body.get("entered_at", self.instant(entered))[:10]
        if body.get("headache") is False:
            for name in OF_A_HEADACHE:
                body.pop(name, None)
        if "peak_severity" in body:
            body["severity_scale"] = self.rnd.choice(("nrs_0_10", "vrs_4"))
            body["peak_severity"] = self.rnd.randint(0, 3 if body["severity_scale"] == "vrs_4" else 10)
        else:
            body.pop("severity_scale", None)
        if body.get("headache"):
            for name in ("duration_h", "peak_severity"):
                if name not in body:
                    self.excuse(name)
        if "other" in body.get("acute_meds", ()) and "acute_meds_text" not in body:
            self.excuse("acute_meds_text")


class HeadachePeriodMaker(Maker):
    kind = "headache_period"

    def obey(self, body: dict[str, Any]) -> None:
        body.pop("days_planned", None)
        if self.maybe():
            body["days_planned"] = self.rnd.choice((1, 28, 30, 366))
        if "days_recorded" in body:
            body["days_recorded"] = self.rnd.randint(0, body.get("days_planned", 28))
            if "days" in body and not 0 < len(body["days"]) <= body["days_recorded"]:
                body.pop("days")
            elif "days" in body:
                body["days_recorded"] = len(body["days"])
