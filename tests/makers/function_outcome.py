"""Arbitrary valid function outcomes, over all instruments and scorings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapter.catalog import Instrument
from adapter.records.function_outcome import PARTICULARS, RESULTS, SOURCE
from adapter.records.lists import instruments

from .outcome import OutcomeMaker


class FunctionOutcomeMaker(OutcomeMaker):
    kind = "function_outcome"
    results = (*RESULTS, *SOURCE, "item_scores")

    def scale(self, body: dict[str, Any]) -> None:
        """The one result of the instrument, and only what belongs to it."""
        tool = instruments()[body["instrument"]]
        if tool.by:
            body[tool.by] = self.rnd.choice(list(tool.variants))
        for name in (*PARTICULARS, *RESULTS, *SOURCE):
            if name != tool.by and name not in tool.needs:
                body.pop(name, None)
        for name in tool.needs:
            if name not in body:
                self.excuse(name)
        self.bounds(body, tool.of(body))
        asked = "item_scores" in body
        body.pop("item_scores", None)
        if not (body.get("subscale") in tool.subscales and self.maybe()):
            body.pop("subscale", None)
        self.result(body, tool.of(body), asked)

    def bounds(self, body: dict[str, Any], tool: Instrument) -> None:
        """Bounds of a scale, sometimes given; a measurement has none."""
        for name in ("scale_min", "scale_max", "direction"):
            body.pop(name, None)
        if self.maybe(self.richness):
            body["direction"] = tool.direction
            if tool.value == "score":
                body |= {"scale_min": tool.min, "scale_max": tool.max}

    def result(self, body: dict[str, Any], tool: Instrument, asked: bool) -> None:
        """A value within the bounds; of items that make it, where items are asked for or decide what is possible."""
        if tool.items is None or not (asked or tool.items.scores):
            assert tool.min is not None
            assert tool.max is not None
            body[tool.value] = self.on_scale(tool, tool.min, tool.max)
            if tool.sources and self.maybe():
                self.reading(body, tool)
            return
        found = [self.item(tool) for _ in range(tool.items.count)]
        body["score"] = self.total(tool, found)
        if not asked:
            return
        numbers = list(range(1, tool.items.count + 1))
        if tool.total in (None, "sum") and self.maybe(0.3):
            numbers = sorted(self.rnd.sample(numbers, self.rnd.randint(1, tool.items.count)))
        self.rnd.shuffle(numbers)
        body["item_scores"] = [{"item_no": number, "score": found[number - 1]} for number in numbers]

    def item(self, tool: Instrument) -> Decimal:
        """The score of one item."""
        assert tool.items is not None
        if tool.items.scores:
            return self.rnd.choice(tool.items.scores)
        return Decimal(self.rnd.randint(int(tool.items.min), int(tool.items.max)))

    def total(self, tool: Instrument, found: list[Decimal]) -> Decimal:
        """What the items make, rounded where it has to be."""
        assert tool.items is not None
        whole, count, low, high = sum(found, Decimal(0)), len(found), tool.items.min, tool.items.max
        if tool.total == "sum":
            return whole
        digits = Decimal(1).scaleb(-self.rnd.choice((0, 1, 2, 6)))
        if tool.total == "mean":
            return (whole / count).quantize(digits)
        if tool.total == "percent":
            return (100 * (whole - count * low) / (count * (high - low))).quantize(digits)
        assert tool.min is not None
        assert tool.max is not None
        return Decimal(self.decimal(tool.min, tool.max))

    def reading(self, body: dict[str, Any], tool: Instrument) -> None:
        """A reading in the unit of the device, beside the value or instead of it."""
        code = self.rnd.choice(list(tool.sources))
        value = Decimal(self.decimal(Decimal("0.2"), Decimal("20"), 2))
        body |= {"ppt_source_value": value, "ppt_source_unit": code}
        body.pop("ppt_value")
        if self.maybe():
            body["ppt_value"] = (value * tool.sources[code].factor).quantize(Decimal("0.1"))
