"""What a case is. A case is named in plain words; its resources are built for each FHIR version it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Make = Callable[[str], list[Json]]
BOTH = ("R4", "R5")


@dataclass(frozen=True)
class Case:
    """Resources by another writer, and what becomes of the one named `root` (Type/id).

    `fields`: what its record says, by path (`conditions.1.onset`, items counted from 1); None: it must not be there.
    `refused`: field and rule instead. `alone`: it is none of our business, and no record comes of it.
    """

    name: str
    root: str
    make: Make
    versions: tuple[str, ...] = BOTH
    fields: Json = field(default_factory=dict)
    refused: tuple[str, str] | None = None
    alone: bool = False


CASES: list[Case] = []


def read(name: str, root: str, make: Make, versions: tuple[str, ...] = BOTH, **fields: Any) -> None:
    """A case with one answer. In names of fields `__` stands for the dot."""
    CASES.append(Case(name, root, make, versions, {k.replace("__", "."): v for k, v in fields.items()}))


def refused(name: str, root: str, make: Make, at: str, rule: str, versions: tuple[str, ...] = BOTH) -> None:
    """A case without one: the issue names this field and rule."""
    CASES.append(Case(name, root, make, versions, refused=(at, rule)))


def left_alone(name: str, root: str, make: Make, versions: tuple[str, ...] = BOTH) -> None:
    """A resource that says nothing about hydrodissection."""
    CASES.append(Case(name, root, make, versions, alone=True))


def at(record: Any, path: str) -> Any:
    """What a record holds at a path, None for nothing."""
    for step in path.split("."):
        if isinstance(record, list) and step.isdigit():
            record = record[int(step) - 1] if int(step) <= len(record) else None
        else:
            record = record.get(step) if isinstance(record, dict) else None
    return record
