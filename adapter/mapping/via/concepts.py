"""Transforms of codes that become a CodeableConcept. An own code travels in its own coding, the standard codings beside
it; where the binding forbids that, in an extension.
"""

from __future__ import annotations

from typing import Any, ClassVar

from adapter.mapping.via.base import Refuse, Via, need, register
from adapter.mapping.via.coded import Coded, codings

SOURCE_CODE = "source-code"


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


@register("defined")
class Defined(Concept):
    """Code <-> CodeableConcept whose text is the definition of the code, for lists that define their codes."""

    def _concept(self, code: str) -> dict[str, Any]:
        if code not in self.list.definitions:
            raise ValueError(f"code {code!r} of list {self.list.id!r} has no definition")
        return {**super()._concept(code), "text": self.list.definitions[code]}


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
    """Like `std` for many-to-one maps: the own code stands in the extension `source-code` of the element. Words of the
    record may come second, as text."""

    arity: ClassVar[int | None] = None
    makes = ("CodeableConcept",)
    extensions = ((SOURCE_CODE, "valueCoding"),)

    def configure(self, given: Any) -> None:
        super().configure(given)
        if len(self.row.fields) > 2:
            raise ValueError("bound takes a code, or a code and words")
        self.url = self.env.extension_url(SOURCE_CODE)
        for code in self.list.codes:
            if len(self.standard[code]) != 1:
                raise ValueError(f"code {code!r} of list {self.list.id!r} has no single standard code")
        self.ready = {
            c: {"extension": [{"url": self.url, "valueCoding": self._own(c)}], "coding": self.standard[c]}
            for c in self.list.codes
        }

    def write(self, ctx: Any, value: str | None, text: str | None = None) -> Any:
        out = {} if value is None else self.ready[value]
        return out if text is None else {**out, "text": text}

    def read(self, ctx: Any, element: Any) -> Any:
        code = self._read(element)
        return code if len(self.row.fields) == 1 else (code, element.get("text"))

    def _read(self, element: Any) -> str | None:
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
        if not ctx.ours:
            self._unanswered(element, found)
        return found

    def _unanswered(self, element: Any, found: tuple[Any, ...]) -> None:
        """A standard code that no list knows may be what a list without an answer should have said."""
        lists = [part for part in self.parts if part is not None]
        for n, (part, value) in enumerate(zip(self.parts, found, strict=True)):
            if part is None or value is not None:
                continue
            systems = {system for system, _ in part.hints}
            for pair in {(str(c.get("system")), str(c.get("code"))) for c in codings(element)}:
                if pair[0] in systems and not any(pair in one.hints for one in lists):
                    raise Refuse("unknown_code", f"code list {part.list.id}", n)

    def owns(self, element: Any) -> bool:
        if None in self.parts and isinstance(element, dict) and not element.get("coding"):
            return True
        return any(part is not None and part.owns(element) for part in self.parts)


@register("summary")
class Summary(Concepts):
    """Copy: an item's codes in one CodeableConcept with readable words, for readers who do not follow references.

    `with`: {fields: [names of the item], lists: [what `concept` takes, one a field]}; the text is the displays.
    """

    arity = 1
    makes = ("CodeableConcept",)
    lossless = False
    certain = False

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
