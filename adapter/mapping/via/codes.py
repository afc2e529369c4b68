"""Transforms of coded values. An own code travels in its own coding, the standard codings beside it.

Coming back the own coding wins; with only standard codings, the ConceptMaps must give exactly one own code, and only
targets said to be equivalent count: a broader standard code never becomes a finer own one (architecture.md section 4).
"""

from __future__ import annotations

from typing import Any, ClassVar

from adapter.mapping.via.base import Refuse, Via, need, register

SOURCE_CODE = "source-code"


def codings(concept: Any) -> list[dict[str, Any]]:
    """The codings of a CodeableConcept that are objects; Refuse when it is none."""
    need(concept, dict, "CodeableConcept")
    return [c for c in concept.get("coding", ()) if isinstance(c, dict)]


class Coded(Via):
    """What all coded transforms share. `with`: list id, or {list, maps, read_maps, within, except}.

    `maps` are ConceptMaps whose targets stand beside the own coding; `read_maps` are understood only; `within` is the
    ValueSet of the codes that this element recognises; `except` names codes written elsewhere.
    """

    def configure(self, given: Any) -> None:
        if isinstance(given, str):
            given = {"list": given}
        if not isinstance(given, dict) or "list" not in given:
            raise ValueError(f"{self.row.via} needs a code list in 'with'")
        if unknown := set(given) - {"list", "maps", "read_maps", "except", "within"}:
            raise ValueError(f"unknown word {sorted(unknown)[0]!r} in 'with'")
        catalog, name = self.env.catalog, given["list"]
        if name not in catalog.lists:
            raise ValueError(f"no code list named {name!r}")
        self.list = catalog.lists[name]
        self.system = self.env.own_system(name)
        self.skip = frozenset(given.get("except", ()))
        self.map_ids = tuple(given.get("maps", ()))
        maps = []
        for map_id in (*self.map_ids, *given.get("read_maps", ())):
            if map_id not in catalog.maps:
                raise ValueError(f"no ConceptMap named {map_id!r}")
            if catalog.maps[map_id].source_list != name:
                raise ValueError(f"ConceptMap {map_id!r} does not start from list {name!r}")
            maps.append(catalog.maps[map_id])
        for m in maps[: len(self.map_ids)]:
            for code in self.list.codes:
                if code not in m.entries:
                    raise ValueError(f"code {code!r} of list {name!r} has no entry in ConceptMap {m.id!r}")
        within = given.get("within")
        if within is not None and within not in catalog.valuesets:
            raise ValueError(f"no ValueSet named {within!r}")
        self.within = frozenset(catalog.valuesets[within] if within else self.list.codes)
        self.standard: dict[str, list[dict[str, str]]] = {c: [] for c in self.list.codes}
        self.reverse: dict[tuple[str, str], set[str]] = {}  # what a standard code says
        self.hints: dict[tuple[str, str], set[str]] = {}  # what it may be about: enough to recognise, not to read
        for n, m in enumerate(maps):
            for code, targets in m.entries.items():
                for t in targets:
                    if n < len(self.map_ids):
                        coding = {"system": t.system, "code": t.code}
                        if t.display:
                            coding["display"] = t.display
                        self.standard[code].append(coding)
                    if code in self.within:
                        self.hints.setdefault((t.system, t.code), set()).add(code)
                    if t.equivalence in ("equivalent", "equal") and code in self.within:
                        self.reverse.setdefault((t.system, t.code), set()).add(code)
        self.ready = {c: self._concept(c) for c in self.list.codes}

    def _own(self, code: str) -> dict[str, str]:
        return {"system": self.system, "code": code, "display": self.list.codes[code]}

    def _concept(self, code: str) -> dict[str, Any]:
        return {"coding": [self._own(code), *self.standard[code]]}

    def code_of(self, concept: Any) -> str | None:
        """The own code of a concept, None when nothing in it is of this list. Refuses what has two answers."""
        answers: set[str] = set()
        for coding in codings(concept):
            if coding.get("system") == self.system:
                code = coding.get("code")
                if code is None:
                    continue
                if code not in self.list.codes:
                    raise Refuse("code", f"code list {self.list.id}")
                return code
            answers |= self.reverse.get((str(coding.get("system")), str(coding.get("code"))), set())
        if len(answers) > 1:
            raise Refuse("ambiguous", f"one code of list {self.list.id}")
        return answers.pop() if answers else None

    def owns(self, element: Any) -> bool:
        if not isinstance(element, dict):
            return False
        for coding in codings(element):
            system = coding.get("system")
            if system == self.system or (str(system), str(coding.get("code"))) in self.reverse:
                return True
        return False

    def recognises(self, element: Any) -> bool:
        """Is this concept of this list, and not of another own list that shares a standard code with it?"""
        if not isinstance(element, dict):
            return False
        systems = {str(c.get("system")) for c in codings(element)}
        if self.system in systems:
            return any(c.get("system") == self.system and c.get("code") in self.within for c in codings(element))
        own = self.env.own_system("")
        if any(s.startswith(own) for s in systems):
            return False
        return any((str(c.get("system")), str(c.get("code"))) in self.hints for c in codings(element))

    def unread(self, element: Any) -> Refuse:
        """Why a concept gives no code of this list: several fit, or none."""
        near = set()
        for c in codings(element):
            near |= self.hints.get((str(c.get("system")), str(c.get("code"))), set())
        if len(near) > 1:
            return Refuse("ambiguous", f"one code of list {self.list.id}")
        return Refuse("unknown_code", f"code list {self.list.id}")


@register("concept")
class Concept(Coded):
    """Code <-> CodeableConcept."""

    makes = ("CodeableConcept",)

    def write(self, ctx: Any, value: str) -> Any:
        return None if value in self.skip else self.ready[value]

    def read(self, ctx: Any, element: Any) -> Any:
        code = self.code_of(element)
        if code is None and (element.get("coding") or element.get("text")):
            raise self.unread(element)
        return code


@register("item_code")
class ItemCode(Concept):
    """A whole number <-> CodeableConcept of the code of `with` that ends in it (`item-3`)."""

    def configure(self, given: Any) -> None:
        super().configure(given)
        self.numbers = {code: int(code.rpartition("-")[2]) for code in self.list.codes}
        self.own = {number: code for code, number in self.numbers.items()}

    def write(self, ctx: Any, value: Any) -> Any:
        return self.ready[self.own[value]]

    def read(self, ctx: Any, element: Any) -> Any:
        code = super().read(ctx, element)
        return None if code is None else self.numbers[code]


@register("std")
class Std(Coded):
    """Code <-> CodeableConcept with the standard coding only: HAPI refuses an own coding beside it where the
    binding is required (mapping.md part 1, rule 2). The map must be one to one."""

    makes = ("CodeableConcept",)

    def configure(self, given: Any) -> None:
        super().configure(given)
        for code in self.list.codes:
            if len(self.standard[code]) != 1:
                raise ValueError(f"code {code!r} of list {self.list.id!r} has no single standard code")
        for target, own in self.reverse.items():
            if len(own) > 1:
                raise ValueError(f"standard code {target[1]!r} cannot be inverted: {', '.join(sorted(own))}")

    def _concept(self, code: str) -> dict[str, Any]:
        return {"coding": self.standard[code]}

    def owns(self, element: Any) -> bool:
        """What it writes has no coding of ours: a broader code, that is not read, is its own too."""
        return isinstance(element, dict) and any(
            (str(c.get("system")), str(c.get("code"))) in self.hints for c in codings(element)
        )

    def write(self, ctx: Any, value: str) -> Any:
        return self.ready[value]

    def read(self, ctx: Any, element: Any) -> Any:
        code = self.code_of(element)
        if code is None:
            raise self.unread(element)
        return code


@register("bound")
class Bound(Coded):
    """Like `std` for many-to-one maps: the own code stands in the extension `source-code` of the element."""

    makes = ("CodeableConcept",)

    def configure(self, given: Any) -> None:
        super().configure(given)
        self.url = self.env.extension_url(SOURCE_CODE)
        for code in self.list.codes:
            if len(self.standard[code]) != 1:
                raise ValueError(f"code {code!r} of list {self.list.id!r} has no single standard code")
        self.ready = {
            c: {"extension": [{"url": self.url, "valueCoding": self._own(c)}], "coding": self.standard[c]}
            for c in self.list.codes
        }

    def write(self, ctx: Any, value: str) -> Any:
        return self.ready[value]

    def read(self, ctx: Any, element: Any) -> Any:
        need(element, dict, "CodeableConcept")
        for extension in element.get("extension", ()):
            if extension.get("url") == self.url:
                return self.code_of({"coding": [extension.get("valueCoding", {})]})
        code = self.code_of(element)
        if code is None:
            raise self.unread(element)
        return code


@register("concept_text")
class ConceptText(Coded):
    """(code, text) <-> CodeableConcept; text is the record's own words, never our display."""

    arity = 2
    makes = ("CodeableConcept",)

    def write(self, ctx: Any, code: Any, text: Any) -> Any:
        out = {} if code is None else dict(self.ready[code])
        if text is not None:
            out["text"] = text
        return out or None

    def read(self, ctx: Any, element: Any) -> Any:
        code = self.code_of(element)
        if code is None and element.get("coding"):
            raise self.unread(element)
        text = element.get("text")
        return code, None if text is None else need(text, str, "string")


@register("concepts")
class Concepts(Via):
    """Codes of several lists <-> one CodeableConcept. `with`: what `concept` takes, one a field; `text` stands for
    the concept's text."""

    arity: ClassVar[int | None] = None
    makes = ("CodeableConcept",)

    def configure(self, given: Any) -> None:
        if not isinstance(given, list) or len(given) != len(self.row.fields):
            raise ValueError("concepts needs one code list (or 'text') for each field")
        self.parts = [None if each == "text" else self._part(each) for each in given]

    def _part(self, given: Any) -> Coded:
        return Concept(self.env, self.row, self.element, given)

    def write(self, ctx: Any, *values: Any) -> Any:
        out: dict[str, Any] = {}
        for part, value in zip(self.parts, values, strict=True):
            if value is None:
                continue
            if part is None:
                out["text"] = value
            else:
                out["coding"] = [*out.get("coding", ()), *part.ready[value]["coding"]]
        return out or None

    def read(self, ctx: Any, element: Any) -> Any:
        found = tuple(element.get("text") if p is None else p.code_of(element) for p in self.parts)
        if element.get("coding") and not any(v for p, v in zip(self.parts, found, strict=True) if p is not None):
            lists = ", ".join(p.list.id for p in self.parts if p is not None)
            raise Refuse("unknown_code", f"code lists {lists}")
        return found

    def owns(self, element: Any) -> bool:
        if None in self.parts and isinstance(element, dict) and not element.get("coding"):
            return True
        return any(part is not None and part.owns(element) for part in self.parts)


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

    def write(self, ctx: Any, value: str) -> Any:
        return value

    def read(self, ctx: Any, element: Any) -> Any:
        if need(element, str, "code") not in self.list.codes:
            raise Refuse("code", f"code list {self.list.id}")
        return element


@register("summary")
class Summary(Concepts):
    """Copy: an item's codes in one CodeableConcept with readable words, for readers who do not follow references.

    `with`: {fields: [names of the item], lists: [what `concept` takes, one a field]}; the text is the displays.
    """

    arity = 1
    makes = ("CodeableConcept",)
    lossless = False

    def configure(self, given: Any) -> None:
        self.names = tuple(given["fields"])
        if len(given["lists"]) != len(self.names):
            raise ValueError("summary needs one code list for each field")
        self.parts = [self._part(each) for each in given["lists"]]

    def write(self, ctx: Any, item: dict[str, Any]) -> Any:
        coding: list[dict[str, Any]] = []
        words: list[str] = []
        for name, part in zip(self.names, self.parts, strict=True):
            code = item.get(name)
            if code is not None and part is not None:
                coding += part.ready[code]["coding"]
                words.append(part.list.codes[code])
        return {"coding": coding, "text": ", ".join(words)} if coding else None

    def read(self, ctx: Any, element: Any) -> Any:
        return None
