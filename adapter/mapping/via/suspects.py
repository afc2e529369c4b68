"""What is suspected of an adverse event, beside the relation to the procedure, which is judged for every event.

The one transform that makes a whole list: its items say together which of three fields has which value. Knows the
elements of suspectEntity in both versions.
"""

from __future__ import annotations

from typing import Any

from adapter.mapping.literal import address
from adapter.mapping.via.base import DAR, Refuse, Via, need, register
from adapter.mapping.via.concepts import Concept
from adapter.mapping.via.refs import Reference

PROCEDURE = "procedure"
SUSPECT, SUSPECTED = "suspect", "suspected"
_RESOURCES = {"device": ("Device", "type")}  # what a suspect is, where a reference needs a resource; else a Substance


@register("suspects")
class Suspects(Via):
    """(procedure, relatedness, suspects) <-> AdverseEvent.suspectEntity. An entity that is marked as not suspected says
    only how related the procedure is, which is judged for every event.

    R4 has an entity for each suspect, in their order, agents and devices contained since it wants references. R5 has
    one entity, with all suspects in an extension: its search parameter `substance` allows no more, and HAPI answers 500
    to a second one. Of other writers any number is read in both.

    `with`: the list of the suspects as `concept` takes it, and `relatedness`, the same for the judgement.
    """

    arity = 3
    makes = ("AdverseEventSuspectEntity",)
    whole = True
    certain = False

    def configure(self, given: Any) -> None:
        if not isinstance(given, dict) or "relatedness" not in given:
            raise ValueError("suspects needs the lists of suspects and of relatedness in 'with'")
        words = {name: value for name, value in given.items() if name != "relatedness"}
        self.codes = Concept(self.env, self.row, self.element, words)
        self.judged = Concept(self.env, self.row, self.element, given["relatedness"])
        self.procedure = Reference(self.env, self.row, self.element, PROCEDURE)
        self.suspect, self.suspected = (self.env.extension_url(name) for name in (SUSPECT, SUSPECTED))
        self.r4 = self.env.version == "R4"
        together = () if self.r4 else ((SUSPECT, "valueCodeableConcept"),)
        self.extensions = (*together, (SUSPECTED, "valueBoolean"))
        self.instance = "instance" if self.r4 else "instanceReference"

    # -- forward ----------------------------------------------------------------------------------------------
    def write(self, ctx: Any, procedure: Any, relatedness: Any, suspects: Any) -> list[dict[str, Any]]:
        out = (self._each if self.r4 else self._together)(ctx, procedure, suspects or ())
        if not out and relatedness is not None:  # judged, and nothing named that it could be related to
            nothing = {"extension": [{"url": DAR, "valueCode": "not-applicable"}]}
            out = [{**self._not_suspected(), self.instance: nothing}]
        if relatedness is not None:
            concept = self.judged.ready[relatedness]
            for entity in out:
                entity["causality"] = [{"assessment": concept}] if self.r4 else {"entityRelatedness": concept}
        return out

    def _not_suspected(self) -> dict[str, Any]:
        return {"extension": [{"url": self.suspected, "valueBoolean": False}]}

    def _each(self, ctx: Any, procedure: Any, suspects: Any) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        for n, code in enumerate(suspects, 1):
            if code == PROCEDURE:
                out.append({"instance": self.procedure.write(ctx, procedure)})
                continue
            kind, element = _RESOURCES.get(code, ("Substance", "code"))
            ctx.contained.append({"resourceType": kind, "id": f"suspect-{n}", element: self.codes.ready[code]})
            out.append({"instance": {"reference": f"#suspect-{n}"}})
        if procedure is not None and PROCEDURE not in suspects:
            out.append({**self._not_suspected(), "instance": self.procedure.write(ctx, procedure)})
        return out

    def _together(self, ctx: Any, procedure: Any, suspects: Any) -> list[dict[str, Any]]:
        if procedure is None and not suspects:
            return []
        named = [{"url": self.suspect, "valueCodeableConcept": self.codes.ready[code]} for code in suspects]
        entity: dict[str, Any] = {"extension": named} if named else self._not_suspected()
        if procedure is not None:
            entity["instanceReference"] = self.procedure.write(ctx, procedure)
        else:
            entity["instanceCodeableConcept"] = self.codes.ready[suspects[0]]
        return [entity]

    # -- back -------------------------------------------------------------------------------------------------
    def read(self, ctx: Any, element: Any) -> Any:
        procedures: list[str] = []
        judged: set[str] = set()
        suspects: list[str] = []
        for entity in need(element, list, "suspectEntity"):
            said = [e for e in need(entity, dict, "suspectEntity").get("extension", ()) if isinstance(e, dict)]
            code, reference = self._instance(ctx, entity)
            if reference is not None:
                procedures.append(reference)
                code = PROCEDURE
            named = [self.codes.read(ctx, e["valueCodeableConcept"]) for e in said if e.get("url") == self.suspect]
            if not named and not any(e.get("url") == self.suspected and e.get("valueBoolean") is False for e in said):
                named = [code]
            suspects += [each for each in named if each is not None and each not in suspects]
            judged |= set(self._judgements(ctx, entity))
        if len(set(procedures)) > 1:
            raise Refuse("ambiguous", "one procedure")
        if len(judged) > 1:
            raise Refuse("ambiguous", "one relatedness")
        return procedures[0] if procedures else None, judged.pop() if judged else None, suspects or None

    def _instance(self, ctx: Any, entity: dict[str, Any]) -> tuple[str | None, str | None]:
        """(code of the suspect, key of the procedure): one of the two, or none where nothing is named."""
        if "instanceCodeableConcept" in entity:
            return self.codes.read(ctx, entity["instanceCodeableConcept"]), None
        reference = need(entity.get(self.instance, {}), dict, "Reference")
        literal = str(reference.get("reference", ""))
        if literal.startswith("#"):
            pool = [r for r in ctx.resource.get("contained", ()) if isinstance(r, dict) and r.get("id") == literal[1:]]
            found = pool[0] if pool else None
        elif "Procedure" in (reference.get("type"), address(literal).partition("/")[0]):
            return None, self.procedure.read(ctx, reference)
        elif literal:
            found = ctx.graph.resource(literal)
        else:
            return None, None
        if found is None:
            raise Refuse("reference", "the resource it refers to")
        concept = found.get(_RESOURCES["device"][1] if found.get("resourceType") == "Device" else "code")
        return self.codes.read(ctx, concept), None

    def _judgements(self, ctx: Any, entity: dict[str, Any]) -> list[str]:
        causality = entity.get("causality", [])
        each = causality if isinstance(causality, list) else [causality]
        name = "assessment" if self.r4 else "entityRelatedness"
        found = [self.judged.read(ctx, one[name]) for one in each if name in one]
        return [one for one in found if one is not None]
