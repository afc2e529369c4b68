"""Transforms of codings that are no list's CodeableConcept: labels, flags, yes and no, free words, absent reasons."""

from __future__ import annotations

from typing import Any

from adapter.mapping.via.base import Refuse, Via, need, register
from adapter.mapping.via.codes import Coded, Concept, codings


@register("coding")
class CodingVia(Coded):
    """Code <-> Coding (meta.security)."""

    makes = ("Coding",)

    def write(self, ctx: Any, value: str) -> Any:
        return self._own(value)

    def read(self, ctx: Any, element: Any) -> Any:
        return self.code_of({"coding": [need(element, dict, "Coding")]})

    def owns(self, element: Any) -> bool:
        return super().owns({"coding": [element]})


@register("flag_coding")
class FlagCoding(Via):
    """true <-> a fixed Coding (`with`: system|code|display); false is not written."""

    makes = ("Coding",)

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
    """Boolean <-> CodeableConcept Y / N of HL7 table 0136: searchable, which valueBoolean is not."""

    makes = ("CodeableConcept",)
    system = "http://terminology.hl7.org/CodeSystem/v2-0136"

    def configure(self, given: Any) -> None:
        super().configure(given)
        self.ready = {
            value: {"coding": [{"system": self.system, "code": code, "display": display}]}
            for value, code, display in ((True, "Y", "Yes"), (False, "N", "No"))
        }

    def write(self, ctx: Any, value: bool) -> Any:
        return self.ready[value]

    def read(self, ctx: Any, element: Any) -> Any:
        for coding in codings(element):
            if coding.get("system") == self.system and coding.get("code") in ("Y", "N"):
                return coding["code"] == "Y"
        raise Refuse("unknown_code", "Y or N")


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

    def configure(self, given: Any) -> None:
        self.concept = Concept(self.env, self.row, self.element, given)

    def write(self, ctx: Any, status: Any, reason: Any) -> Any:
        return None if status != "not_done" or reason is None else self.concept.ready[reason]

    def read(self, ctx: Any, element: Any) -> Any:
        if element is None:
            return "collected", None
        return "not_done", self.concept.read(ctx, element)
