"""Arbitrary valid subjects."""

from __future__ import annotations

from typing import Any

from .base import Maker


class SubjectMaker(Maker):
    kind = "subject"

    def obey(self, body: dict[str, Any]) -> None:
        if "birth_year" in body:
            body["birth_year"] = self.rnd.randint(1900, 2010)
        for number, item in enumerate(body.get("conditions", ()), 1):
            item["condition_id"] = f"C{number}{self.rnd.choice(('', '-L', '/x'))}"
            if item.pop("coexists_with", None) and number > 1:
                item["coexists_with"] = body["conditions"][number - 2]["condition_id"]
            self.words(item, "condition_code", "condition_text")
            self.words(item, "body_site", "body_site_text")
        for item in body.get("prior_therapies", ()):
            self.words(item, "therapy", "therapy_text")
            if "period_start" in item and "period_end" in item:
                item["period_start"], item["period_end"] = (
                    self.partial(moment) for moment in sorted((self.before(), self.before()))
                )

    def words(self, item: dict[str, Any], name: str, text: str) -> None:
        """`other` says which."""
        if item.get(name) == "other" and text not in item:
            item[text] = self.text(200)
