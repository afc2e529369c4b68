"""Transforms of codes that become a plain `code` element, without room for a second coding."""

from __future__ import annotations

from typing import Any

from adapter.mapping.via.base import Refuse, need, register
from adapter.mapping.via.coded import Coded


@register("code")
class Code(Coded):
    """Code <-> required `code` primitive by a ConceptMap (`maps`: exactly one); must be one to one to be read."""

    makes = ("code",)

    def configure(self, given: Any) -> None:
        super().configure(given)
        if len(self.map_ids) != 1:
            raise ValueError("code needs exactly one ConceptMap in 'maps'")
        self.forward = {c: s[0]["code"] for c, s in self.standard.items() if s}
        self.backward: dict[str, list[str]] = {}
        for own, code in self.forward.items():
            self.backward.setdefault(code, []).append(own)
        for own in self.list.codes:
            if own not in self.forward:
                raise ValueError(f"code {own!r} of list {self.list.id!r} is not mapped by {self.map_ids[0]!r}")
        if self.row.mode == "both":
            for code, owns in self.backward.items():
                if len(owns) > 1:
                    raise ValueError(f"ConceptMap {self.map_ids[0]!r} cannot be inverted at {code!r}")

    def writable(self) -> set[Any]:
        return set(self.forward.values())

    def write(self, ctx: Any, value: str) -> Any:
        return self.forward[value]

    def read(self, ctx: Any, element: Any) -> Any:
        owns = self.backward.get(need(element, str, "code"))
        if not owns:
            raise Refuse("unknown_code", f"ConceptMap {self.map_ids[0]}")
        if len(owns) > 1:
            raise Refuse("ambiguous", f"one code of list {self.list.id}")
        return owns[0]


@register("own_code")
class OwnCode(Coded):
    """Code <-> the same word in a `code` element (own extensions)."""

    makes = ("code", "string")

    def writable(self) -> set[Any]:
        return set(self.list.codes)

    def write(self, ctx: Any, value: str) -> Any:
        return value

    def read(self, ctx: Any, element: Any) -> Any:
        if need(element, str, "code") not in self.list.codes:
            raise Refuse("code", f"code list {self.list.id}")
        return element
