"""Transforms of codings that are no list's CodeableConcept: labels, flags, yes and no, free words, absent reasons."""

from __future__ import annotations

from typing import Any, ClassVar

from adapter.mapping.via.base import Refuse, Via, absent, need, register
from adapter.mapping.via.coded import Coded, codings
from adapter.mapping.via.concepts import Concept


@register("coding")
class CodingVia(Coded):
    """Code <-> Coding (meta.security)."""

    makes = ("Coding",)

    def write(self, ctx: Any, value: str) -> Any:
        return self._own(value)

    def read(self, ctx: Any, element: Any) -> Any:
        concept = {"coding": [need(element, dict, "Coding")]}
        code = self.code_of(concept)
        if code is None and element.get("code") is not None:
            raise self.unread(concept)
        return code

    def owns(self, element: Any) -> bool:
        return super().owns({"coding": [element]})


@register("flag_coding")
class FlagCoding(Via):
    """true <-> a fixed Coding (`with`: system|code|display); false is not written."""

    makes = ("Coding",)
    certain = False

    def configure(self, given: Any) -> None:
        self.fixed = self.env.concept(str(given))["coding"][0]

    def write(self, ctx: Any, value: bool) -> Any:
        return self.fixed if value else None

    def read(self, ctx: Any, element: Any) -> Any:
        return True if self.owns(element) else None

    def owns(self, element: Any) -> bool:
        return isinstance(element, dict) and all(element.get(k) == self.fixed[k] for k in ("system", "code"))


@register("yes_no")
class YesNo(Via):
    """Boolean <-> CodeableConcept Y / N of HL7 table 0136: searchable, which valueBoolean is not. `with` may name two
    other concepts as {yes, no}; their codes are understood in upper and lower case."""

    makes = ("CodeableConcept",)
    _Y_N: ClassVar = {
        "yes": "http://terminology.hl7.org/CodeSystem/v2-0136|Y|Yes",
        "no": "http://terminology.hl7.org/CodeSystem/v2-0136|N|No",
    }

    def configure(self, given: Any) -> None:
        said = self._Y_N if given is None else given
        if not isinstance(said, dict) or set(said) != {"yes", "no"}:
            raise ValueError("yes_no takes yes and no in 'with'")
        self.ready = {value: self.env.concept(said[word]) for value, word in ((True, "yes"), (False, "no"))}
        self.back = {self._key(concept["coding"][0]): value for value, concept in self.ready.items()}

    @staticmethod
    def _key(coding: dict[str, Any]) -> tuple[Any, str]:
        return coding.get("system"), str(coding.get("code")).lower()

    def write(self, ctx: Any, value: bool) -> Any:
        return self.ready[value]

    def read(self, ctx: Any, element: Any) -> Any:
        for coding in codings(element):
            found = self.back.get(self._key(coding))
            if found is not None:
                return found
        raise Refuse("unknown_code", " or ".join(concept["coding"][0]["code"] for concept in self.ready.values()))


@register("text_concept")
class TextConcept(Via):
    """Free words <-> CodeableConcept.text."""

    makes = ("CodeableConcept",)

    def write(self, ctx: Any, value: str) -> Any:
        return {"text": value}

    def read(self, ctx: Any, element: Any) -> Any:
        text = need(element, dict, "CodeableConcept").get("text")
        return None if text is None else need(text, str, "string")


@register("label")
class Label(Via):
    """A free own code <-> CodeableConcept with a coding of an own open system (`with`: its name).

    For words that a study or a site defines (strata, protocol deviations): the system names who defines them.
    """

    makes = ("CodeableConcept",)

    def configure(self, given: Any) -> None:
        if not given:
            raise ValueError("label needs the name of its own system in 'with'")
        if given not in self.env.catalog.open_systems:
            raise ValueError(f"no open code system named {given!r}")
        self.system = self.env.own_system(str(given))

    def write(self, ctx: Any, value: str) -> Any:
        return {"coding": [{"system": self.system, "code": value}]}

    def read(self, ctx: Any, element: Any) -> Any:
        for coding in codings(element):
            if coding.get("system") == self.system:
                return need(coding.get("code"), str, "code")
        return None

    def owns(self, element: Any) -> bool:
        return isinstance(element, dict) and any(c.get("system") == self.system for c in codings(element))


@register("none_stated")
class NoneStated(Via):
    """A list that says only `none` <-> the field's name (`with`) in extension `none-stated`: "assessed, none" is a
    statement, not a complication or an order (mapping.md part 1, rule 5)."""

    makes = ("code",)
    certain = False

    def configure(self, given: Any) -> None:
        self.name = str(given or "")
        if not self.name:
            raise ValueError("none_stated needs the field's name in 'with'")

    def write(self, ctx: Any, value: Any) -> Any:
        return self.name if value == "none" else None

    def read(self, ctx: Any, element: Any) -> Any:
        return "none" if element == self.name else None

    def owns(self, element: Any) -> bool:
        return element == self.name


@register("absent_status")
class AbsentStatus(Via):
    """(score_status, missing_reason) <-> dataAbsentReason: no element means collected (obs-6 by construction)."""

    arity = 2
    makes = ("CodeableConcept",)
    reads_absence = True
    certain = False

    def configure(self, given: Any) -> None:
        self.concept = Concept(self.env, self.row, self.element, given)

    def write(self, ctx: Any, status: Any, reason: Any) -> Any:
        return None if status != "not_done" or reason is None else self.concept.ready[reason]

    def read(self, ctx: Any, element: Any) -> Any:
        valued = ctx.ours or any(key.startswith("value") and not absent(v) for key, v in ctx.resource.items())
        if element is None:
            if not valued:
                raise Refuse("value", "a value, or the reason why there is none")
            return "collected", None
        if valued and not ctx.ours:
            raise Refuse("obs-6", "a value or a reason, not both")
        return "not_done", self.concept.read(ctx, element)
