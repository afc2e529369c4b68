"""What a transform is: one value of a record into one element and back. Every transform has its inverse beside it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from adapter.catalog import Catalog
from adapter.mapping.rows import Row

HL7 = "http://hl7.org/fhir/StructureDefinition/"
DAR = HL7 + "data-absent-reason"


class Refuse(Exception):
    """A value that cannot be read without guessing: rule and limit, never the value.

    ``at``: which of the row's fields it is about.
    """

    def __init__(self, rule: str, limit: str = "", at: int = 0) -> None:
        super().__init__(f"{rule}: {limit}")
        self.rule, self.limit, self.at = rule, limit, at


class ElementInfo(Protocol):
    """What proof knows of an element (adapter.fhir.versions.Element has this shape)."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def many(self) -> bool: ...
    @property
    def required(self) -> bool: ...
    @property
    def choice(self) -> str | None: ...
    @property
    def codes(self) -> tuple[str, ...] | None: ...
    @property
    def targets(self) -> tuple[str, ...] | None: ...


@dataclass(frozen=True)
class Env:
    """What transforms and nodes are compiled with.

    ids(kind, key, part) gives a resource id; references are the rows of ``_shared.yaml``;
    systems are short names of standard code systems.
    """

    version: str
    catalog: Catalog
    base: str
    sid: str
    ids: Callable[[str, tuple[str, ...], str], str]
    references: Mapping[str, Mapping[str, Any]]
    systems: Mapping[str, str]
    elements: Callable[[str], Mapping[str, ElementInfo]]
    bindings: Mapping[str, str]

    def own_system(self, list_id: str) -> str:
        return f"{self.base}/CodeSystem/{list_id}"

    def profile_url(self, kind: str, part: str) -> str:
        """The canonical address of the profile of a resource block."""
        return self.extension_url(profile_name(kind, part))

    def extension_url(self, name: str) -> str:
        """``x`` is ours, ``hl7:x`` is HL7's, anything with ``://`` is taken as it stands."""
        if "://" in name:
            return name
        return HL7 + name[4:] if name.startswith("hl7:") else f"{self.base}/StructureDefinition/{name}"

    def system_url(self, name: str) -> str:
        if "://" in name or name.startswith("urn:"):
            return name
        if name in self.systems:
            return self.systems[name]
        if name in self.catalog.lists:
            return self.own_system(name)
        raise ValueError(f"no code system named {name!r}")

    def concept(self, text: str) -> dict[str, Any]:
        """``list|code`` or ``system|code|display`` as a CodeableConcept of one coding."""
        system, _, rest = text.partition("|")
        code, _, display = rest.partition("|")
        url = self.system_url(system)
        if not display and system in self.catalog.lists:
            codes = self.catalog.lists[system].codes
            if code not in codes:
                raise ValueError(f"code {code!r} is not in list {system!r}")
            display = codes[code]
        coding = {"system": url, "code": code}
        if display:
            coding["display"] = display
        return {"coding": [coding]}


def profile_name(kind: str, part: str) -> str:
    """The last part of a profile's canonical address: ``procedure`` for a root, ``procedure-target`` for a part."""
    return "-".join(filter(None, (kind.replace("_", "-"), part)))


_OF_ROW: Any = object()


class Via(ABC):
    """One transform, compiled for one row. Subclasses say which element types they make."""

    arity: ClassVar[int | None] = 1  # how many fields; None = any
    makes: ClassVar[tuple[str, ...]] = ()  # FHIR types; () = any primitive
    reads_absence: ClassVar[bool] = False  # an absent element is a statement of its own
    lossless: ClassVar[bool] = True  # False: only for copies
    whole: ClassVar[bool] = False  # writes and reads all items of a list at once
    certain: ClassVar[bool] = True  # an element is there whenever one of its fields has a value
    extensions: tuple[tuple[str, str], ...] = ()  # own ones that it adds to its element: name, value element

    def __init__(self, env: Env, row: Row, element: ElementInfo | None, given: Any = _OF_ROW) -> None:
        """``given`` stands for the row's ``with`` where a transform is part of another."""
        self.env, self.row, self.element = env, row, element
        self.configure(row.with_ if given is _OF_ROW else given)

    def configure(self, given: Any) -> None:
        """Check and keep what ``with`` says. Raises ValueError naming what is wrong."""
        if given is not None:
            raise ValueError(f"transform {self.row.via!r} takes no 'with'")

    @abstractmethod
    def write(self, ctx: Any, *values: Any) -> Any:
        """The element for these values (None for a field without one), or None for nothing."""

    @abstractmethod
    def read(self, ctx: Any, element: Any) -> Any:
        """The value (a tuple for several fields), None for nothing. Raises Refuse."""

    def writable(self) -> set[Any] | None:
        """The codes it can write where FHIR names those that an element may have; None where it cannot tell."""
        return None

    def owns(self, element: Any) -> bool:
        """Does this list item belong to this row? Lists are shared by rows told apart by code system."""
        return True


REGISTRY: dict[str, type[Via]] = {}


def register(name: str) -> Callable[[type[Via]], type[Via]]:
    def add(cls: type[Via]) -> type[Via]:
        REGISTRY[name] = cls
        return cls

    return add


def absent(element: Any) -> bool:
    """Does an element say only why it is absent?"""
    if not isinstance(element, dict) or "extension" not in element:
        return False
    return any(isinstance(e, dict) and e.get("url") == DAR for e in element["extension"])


def need(element: Any, kind: type | tuple[type, ...], what: str) -> Any:
    """``element`` if it is of the JSON type that FHIR says, else Refuse."""
    if not isinstance(element, kind) or (isinstance(element, bool) and bool not in _types(kind)):
        raise Refuse("type", what)
    return element


def _types(kind: type | tuple[type, ...]) -> tuple[type, ...]:
    return kind if isinstance(kind, tuple) else (kind,)
