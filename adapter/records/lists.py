"""The closed code lists and instruments that the record schemas name, taken from the catalog.

The only door of this room to `adapter.catalog`. Schemas name a list by its id; the codes are looked up when
they are first needed, so importing the room reads no file. It must not know what a code means, nor anything
of FHIR.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from adapter.errors import ConfigError

if TYPE_CHECKING:
    from adapter.catalog import Catalog, Instrument

_state: dict[str, Any] = {}
_OF_FORMULAS = ("%", "min", "d", "mg", "{score}", "{attacks}")


def configure(catalog: Catalog) -> None:
    """Use this catalog for all schemas of the process, and forget what was compiled for another one."""
    _state["catalog"] = catalog
    for forget in (codes, instruments, units, *_state.get("forget", ())):
        forget.cache_clear()


def on_configure(cached: Any) -> Any:
    """Register a `functools.cache` function that depends on the catalog, so that `configure` clears it."""
    _state.setdefault("forget", []).append(cached)
    return cached


def catalog() -> Catalog:
    """The catalog in use: the one given to `configure`, else `adapter.catalog.standard()`."""
    if "catalog" not in _state:
        from adapter.catalog import standard

        _state["catalog"] = standard()
    found: Catalog = _state["catalog"]
    return found


@cache
def codes(list_id: str) -> tuple[str, ...]:
    """The codes of one list, in the order of its CodeSystem. ConfigError when the catalog lacks the list."""
    try:
        return tuple(catalog().lists[list_id].codes)
    except KeyError:
        raise ConfigError(f"code list {list_id!r} is named by a record schema but not in the catalog") from None


@cache
def instruments() -> dict[str, Instrument]:
    """All instruments by code: bounds, step, direction, unit."""
    return dict(catalog().instruments)


@cache
def units() -> frozenset[str]:
    """The UCUM units that derived numbers may have: those of formulas, of instruments, and of these times days."""
    tools = [each for tool in instruments().values() for each in (tool, *tool.variants.values())]
    own = {tool.unit for tool in tools if tool.unit}
    return frozenset((*_OF_FORMULAS, *own, *(f"{unit}.d" for unit in own)))
