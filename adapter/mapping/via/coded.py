"""What all transforms of coded values share: a code list, the standard codings beside an own code, and the way back.

Coming back the own coding wins; with only standard codings, the ConceptMaps must give exactly one own code, and only
targets said to be equivalent count: a broader standard code never becomes a finer own one (architecture.md section 4).
"""

from __future__ import annotations

from typing import Any

from adapter.mapping.via.base import Refuse, Via, need


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
        self.place = f"code list {name!r}" if within is None else f"ValueSet {within!r}"
        self.valueset = within or name
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
        own: str | None = None
        for coding in codings(concept):
            if coding.get("system") == self.system:
                code = coding.get("code")
                if code is None:
                    continue
                if code not in self.list.codes:
                    raise Refuse("code", f"code list {self.list.id}")
                if own not in (None, code):
                    raise Refuse("ambiguous", f"one code of list {self.list.id}")
                own = code
            elif own is None:
                answers |= self.reverse.get((str(coding.get("system")), str(coding.get("code"))), set())
        if own is not None:
            return own
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
