"""Transforms of references: literal id made from the key, with the key beside it as identifier.

Backward reads the identifier, so that no second resource is needed; a foreign reference without one gives the key of
the resource it points at (its own identifier if it is in the pool, else the id in the reference).
"""

from __future__ import annotations

from typing import Any

from adapter.mapping.literal import named
from adapter.mapping.via.base import Refuse, Via, need, register

RECORD_VERSION = "record-version"


@register("reference")
class Reference(Via):
    """Key of another record (`with`: a row of the references table) <-> Reference."""

    makes = ("Reference",)

    def configure(self, given: Any) -> None:
        if given not in self.env.references:
            raise ValueError(f"no reference named {given!r}")
        row = self.env.references[given]
        self.name, self.type, self.kind, self.key = given, row["type"], row["kind"], tuple(row["key"])
        self.system = f"{self.env.sid}/{row['system']}"
        self.part, self.prefix = str(row.get("part", "")), str(row.get("item", ""))

    def write(self, ctx: Any, value: str) -> Any:
        key = tuple(value if k == "value" else ctx.root[k] for k in self.key)
        part = f"{self.prefix}-{value}" if self.prefix else self.part
        return {
            "reference": f"{self.type}/{self.env.ids(self.kind, key, part)}",
            "type": self.type,
            "identifier": {"system": self.system, "value": value},
        }

    def read(self, ctx: Any, element: Any) -> Any:
        identifier = need(element, dict, "Reference").get("identifier")
        if isinstance(identifier, dict) and identifier.get("system") == self.system:
            return need(identifier.get("value"), str, "string")
        literal = element.get("reference")
        target = named(literal) if isinstance(literal, str) else None
        if target is None or target[0] != self.type:
            raise Refuse("reference", f"a reference to {self.type}")
        if ctx.ours and ctx.graph.resource(literal) is None:  # we always write the key: somebody took it away
            raise Refuse("reference", "an identifier, or the resource it refers to")
        return ctx.graph.key_of(literal, self.system)

    def owns(self, element: Any) -> bool:
        if not isinstance(element, dict):
            return False
        literal = element.get("reference")
        target = named(literal) if isinstance(literal, str) else None
        kind = element.get("type") or (target[0] if target else None)
        return kind in (None, self.type)


@register("logical")
class Logical(Via):
    """Key of a person or site <-> Reference by identifier only (decisions.md 13). `with`: type|system."""

    makes = ("Reference",)

    def configure(self, given: Any) -> None:
        self.type, _, system = str(given or "").partition("|")
        if not system:
            raise ValueError("logical needs 'with: Type|system'")
        self.system = f"{self.env.sid}/{system}"

    def write(self, ctx: Any, value: str) -> Any:
        return {"type": self.type, "identifier": {"system": self.system, "value": value}}

    def read(self, ctx: Any, element: Any) -> Any:
        identifier = need(element, dict, "Reference").get("identifier")
        if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
            return identifier["value"]
        literal = element.get("reference")
        target = named(literal) if isinstance(literal, str) else None
        if target is None:
            raise Refuse("reference", "an identifier or a literal reference")
        return target[1]


@register("identifier")
class IdentifierVia(Via):
    """Key <-> Identifier (`with`: name of the identifier system under the installation's base)."""

    makes = ("Identifier",)

    def configure(self, given: Any) -> None:
        if not given:
            raise ValueError("identifier needs the name of its system in 'with'")
        self.system = f"{self.env.sid}/{given}"

    def write(self, ctx: Any, value: str) -> Any:
        return {"system": self.system, "value": value}

    def read(self, ctx: Any, element: Any) -> Any:
        return need(need(element, dict, "Identifier").get("value"), str, "string")

    def owns(self, element: Any) -> bool:
        return isinstance(element, dict) and element.get("system") == self.system


@register("id_of")
class IdOf(Via):
    """Only read: the id in a literal reference of another writer."""

    makes = ("string",)
    lossless = False
    certain = False

    def write(self, ctx: Any, value: str) -> Any:
        return None

    def read(self, ctx: Any, element: Any) -> Any:
        literal = need(element, str, "string")
        if literal.startswith("#"):  # somebody without a name outside this resource
            return None
        target = named(literal)
        if target is None:
            raise Refuse("reference", "type and id")
        return target[1]


@register("versioned")
class Versioned(Via):
    """(record id, version) <-> Reference to that record's resource with its version in `record-version`: ours, since
    the server's meta.versionId is another thing. `with`: a row of the references table."""

    arity = 2
    makes = ("Reference",)
    certain = False
    extensions = ((RECORD_VERSION, "valuePositiveInt"),)

    def configure(self, given: Any) -> None:
        self.reference = Reference(self.env, self.row, self.element, given)
        self.url = self.env.extension_url(RECORD_VERSION)

    def write(self, ctx: Any, record: Any, version: Any) -> Any:
        if record is None:
            return None
        out = self.reference.write(ctx, record)
        if version is not None:
            out["extension"] = [{"url": self.url, "valuePositiveInt": version}]
        return out

    def read(self, ctx: Any, element: Any) -> Any:
        record = self.reference.read(ctx, element)
        for extension in element.get("extension", ()):
            if extension.get("url") == self.url:
                return record, need(extension.get("valuePositiveInt"), int, "positiveInt")
        return record, None


@register("former")
class Former(Via):
    """Only for copies: version -> Reference to the record of `uses` in that version, by its identifier (an earlier
    version is no resource of its own)."""

    makes = ("Reference",)
    lossless = False

    def configure(self, given: Any) -> None:
        super().configure(given)
        self.system, self.url = f"{self.env.sid}/record-id", self.env.extension_url("record-version")

    def write(self, ctx: Any, version: int, record: str) -> Any:
        identifier = {"system": self.system, "value": record}
        return {"extension": [{"url": self.url, "valuePositiveInt": version}], "identifier": identifier}

    def read(self, ctx: Any, element: Any) -> Any:
        return None


@register("literal")
class Literal(Via):
    """Copy: (kind, key) as the literal reference to that record; nothing without the key. `with`: rows of the
    references table, each named like its kind."""

    arity = 2
    makes = ("string",)
    lossless = False
    certain = False

    def configure(self, given: Any) -> None:
        if not isinstance(given, list):
            raise ValueError("literal needs a list of references in 'with'")
        self.references = {name: Reference(self.env, self.row, self.element, name) for name in given}

    def write(self, ctx: Any, kind: Any, key: Any) -> Any:
        if kind not in self.references or key is None:
            return None
        return self.references[kind].write(ctx, key)["reference"]

    def read(self, ctx: Any, element: Any) -> Any:
        return None


@register("source_pair")
class SourcePair(Via):
    """(source_system, source_record_id) <-> Identifier whose system ends in the source's name."""

    arity = 2
    makes = ("Identifier",)
    certain = False

    def configure(self, given: Any) -> None:
        super().configure(given)
        self.prefix = f"{self.env.sid}/source/"

    def write(self, ctx: Any, source: Any, record: Any) -> Any:
        if source is None or record is None:
            return None
        return {"system": self.prefix + source, "value": record}

    def read(self, ctx: Any, element: Any) -> Any:
        return element["system"][len(self.prefix) :], need(element.get("value"), str, "string")

    def owns(self, element: Any) -> bool:
        system = element.get("system") if isinstance(element, dict) else None
        return isinstance(system, str) and system.startswith(self.prefix)


@register("registry_id")
class RegistryId(Via):
    """A public registry number <-> Identifier with use `official`; the system follows from the number's shape."""

    makes = ("Identifier",)
    _NCT = "http://clinicaltrials.gov"

    def write(self, ctx: Any, value: str) -> Any:
        out = {"use": "official", "value": value}
        if value.startswith("NCT"):
            out = {"use": "official", "system": self._NCT, "value": value}
        return out

    def read(self, ctx: Any, element: Any) -> Any:
        return need(element.get("value"), str, "string")

    def owns(self, element: Any) -> bool:
        if not isinstance(element, dict):
            return False
        return element.get("use") == "official" or element.get("system") == self._NCT
