"""Arbitrary valid enrolments."""

from __future__ import annotations

from typing import Any

from .base import Maker

_STORIES = (
    ("candidate",),
    ("candidate", "screening", "screen_failed"),
    ("screening", "eligible", "on_study", "on_intervention", "follow_up", "completed"),
    ("on_study",),
    ("eligible", "on_study", "withdrawn"),
    ("on_study", "on_intervention", "follow_up", "lost_to_follow_up"),
)


class EnrolmentMaker(Maker):
    kind = "enrolment"

    def obey(self, body: dict[str, Any]) -> None:
        rnd = self.rnd
        times = sorted(self.before() for _ in range(12))
        for name, place in (
            ("screened_at", 0),
            ("consent_at", 1),
            ("randomised_at", 3),
            ("consent_withdrawn_at", 9),
        ):
            if name in body:
                body[name] = self.instant(times[place])
        reached: tuple[str, ...] = ()
        if "status_history" in body:
            reached = rnd.choice(_STORIES)
            reasons = [path for path in self.reasons if path.startswith("status_history.")]
            for path in reasons:
                del self.reasons[path]
            body["status_history"] = [self.state(state, times[3 + n], n) for n, state in enumerate(reached)]
        body.pop("screen_fail_reason", None)
        if "screen_failed" in reached:
            self.either(body, "screen_fail_reason", "criteria_not_met")
        if "randomised_at" in body:
            self.either(body, "randomisation_no", "R-0041")
            self.either(body, "assigned_arm", "A1")
        if "withdrawn" in reached or "consent_withdrawn_at" in body:
            self.either(body, "withdrawal_reason", "other")
            self.either(body, "withdrawal_scope", "all")
            self.either(body, "data_retention", "keep")
        for number, item in enumerate(body.get("eligibility_results", ()), 1):
            item["criterion_id"] = f"INC-{number}"
            if "evidence_id" in item:
                item.setdefault("evidence_version", 1)
            else:
                item.pop("evidence_version", None)

    def state(self, status: str, moment: Any, place: int) -> dict[str, Any]:
        """One step."""
        found: dict[str, Any] = {"status": status}
        if self.maybe(0.9):
            found["at"] = self.moment(moment)
        else:
            self.excuse(f"status_history.{place + 1}.at")
        if self.maybe(self.richness):
            found["reason"] = self.text(500)
        return found

    def either(self, body: dict[str, Any], name: str, value: str) -> None:
        """A value or a reason."""
        if name not in body:
            if self.maybe():
                body[name] = value
            else:
                self.excuse(name)
