"""Finding the items of a list that a matcher could match, without asking every matcher about every item.

Only narrows: the matchers (see recognise) still decide. Knows no rows and no FHIR beyond what a coding looks like.
"""

from __future__ import annotations

from typing import Any

Shelf = tuple[str, bool, tuple]
"""Element, whether it is a concept (else a text), and the values it may have: texts, or (system, code)."""


class Shelves:
    """The items of one list, sorted once by what matchers ask for: a matcher with ``shelf`` (element, whether it is a
    concept, values) can only match items that lie there."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.made: dict[tuple[str, bool], dict[Any, list[Any]]] = {}

    def get(self, shelf: Shelf) -> list[Any]:
        """The items that may match, in their order."""
        key, concept, values = shelf
        made = self.made.get((key, concept))
        if made is None:
            made = self.made[key, concept] = self._by_concept(key) if concept else self._by_text(key)
        if len(values) == 1:
            return made.get(values[0], [])
        found = {id(item) for value in values for item in made.get(value, ())}
        return [item for item in self.items if id(item) in found] if found else []

    def _by_text(self, key: str) -> dict[Any, list[Any]]:
        made: dict[Any, list[Any]] = {}
        for item in self.items:
            value = item.get(key) if isinstance(item, dict) else None
            if isinstance(value, str):
                made.setdefault(value, []).append(item)
        return made

    def _by_concept(self, key: str) -> dict[Any, list[Any]]:
        made: dict[Any, list[Any]] = {}
        for item in self.items:
            value = item.get(key) if isinstance(item, dict) else None
            pairs = set()
            for one in value if isinstance(value, list) else (value,):
                codings = one.get("coding", (one,)) if isinstance(one, dict) else ()
                for coding in codings if isinstance(codings, list | tuple) else ():
                    if isinstance(coding, dict):
                        system, code = coding.get("system"), coding.get("code")
                        if isinstance(system, str) and isinstance(code, str):
                            pairs.add((system, code))
            for pair in pairs:
                made.setdefault(pair, []).append(item)
        return made


def shelf_of(matchers: list[Any]) -> Shelf | None:
    """Where items that match all of these must lie, if one of them says so."""
    return next((m.shelf for m in matchers if hasattr(m, "shelf")), None)
