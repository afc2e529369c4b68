"""CodeSystem, ValueSet and ConceptMap files as code lists, value sets and code maps, checked against each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapter.catalog.files import Fail, each, within
from adapter.catalog.model import BASE, CodeList, ConceptMap, Target

# Equivalences of an R4 ConceptMap that have a target; `unmatched` has none.
EQUIVALENCES = ("equal", "equivalent", "wider", "narrower", "inexact")


def is_open(r: dict[str, Any]) -> bool:
    """Are the codes of this system words of a study or a site, so that nobody lists them?"""
    return r.get("content") == "not-present"


def open_system(r: dict[str, Any], fail: Fail) -> str:
    """The name of an open system."""
    if {"concept", "count", "valueSet"} & set(r):
        raise fail("content is not-present: no concept, count or valueSet")
    return str(r["id"])


def code_list(r: dict[str, Any], fail: Fail) -> CodeList:
    codes: dict[str, str] = {}
    definitions: dict[str, str] = {}
    for concept in each(r, "concept", fail):
        code, display = concept.get("code"), concept.get("display")
        if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", code):
            raise fail(f"code {code!r} is not a word of letters, digits, _ and -")
        if code in codes:
            raise fail(f"code {code!r} twice")
        if not isinstance(display, str) or not display.strip():
            raise fail(f"code {code!r} has no display")
        codes[code] = display
        if "definition" in concept:
            definitions[code] = concept["definition"]
    if r.get("count") != len(codes):
        raise fail(f"count is not the number of codes, {len(codes)}")
    return CodeList(r["id"], r["url"], r.get("title", r["id"]), codes, definitions)


def _own_list(url: Any, lists: dict[str, CodeList], fail: Fail) -> CodeList:
    found = lists.get(str(url).removeprefix(f"{BASE}/CodeSystem/"))
    if found is None or found.url != url:
        raise fail(f"{url!r} is not a code list of this project")
    return found


def value_set(r: dict[str, Any], lists: dict[str, CodeList], fail: Fail) -> tuple[str, ...]:
    """The codes of a value set over one own list."""
    includes = each(r.get("compose") or {}, "include", fail, "compose.")
    if len(includes) != 1 or set(r["compose"]) != {"include"} or set(includes[0]) - {"system", "concept"}:
        raise fail("compose: one include of a system, with all codes or listed ones, and nothing else")
    source = _own_list(includes[0].get("system"), lists, fail)
    if "concept" not in includes[0]:
        return tuple(source.codes)
    codes: list[str] = []
    for concept in each(includes[0], "concept", fail):
        code = concept.get("code")
        if code not in source.codes:
            raise fail(f"code {code!r} is not in list {source.id!r}")
        if code in codes:
            raise fail(f"code {code!r} twice")
        if concept.get("display", source.codes[code]) != source.codes[code]:
            raise fail(f"code {code!r}: display is not that of the list")
        codes.append(code)
    return tuple(codes)


def concept_map(r: dict[str, Any], lists: dict[str, CodeList], fail: Fail) -> ConceptMap:
    groups = each(r, "group", fail)
    source = _own_list(groups[0].get("source"), lists, fail)
    entries: dict[str, list[Target]] = {}
    for group in groups:
        if group.get("source") != source.url:
            raise fail("groups do not start from the same list")
        system = group.get("target")
        if not isinstance(system, str) or not system:
            raise fail("a group has no target system")
        own = _own_list(system, lists, fail) if system.startswith(BASE) else None
        seen: set[str] = set()
        for element in each(group, "element", fail):
            code = element.get("code")
            if code not in source.codes:
                raise fail(f"code {code!r} is not in list {source.id!r}")
            if code in seen:
                raise fail(f"code {code!r} twice")
            if element.get("display", source.codes[code]) != source.codes[code]:
                raise fail(f"code {code!r}: display is not that of the list")
            seen.add(code)
            entry = entries.setdefault(code, [])
            entry += _targets(element, system, own, within(fail, f"code {code!r}"))
    if missing := [c for c in source.codes if c not in entries]:
        raise fail(f"code {missing[0]!r} of list {source.id!r} has no entry")
    return ConceptMap(r["id"], source.id, {c: tuple(entries[c]) for c in source.codes})


def _targets(element: dict[str, Any], system: str, own: CodeList | None, fail: Fail) -> Iterator[Target]:
    targets = each(element, "target", fail)
    for t in targets:
        code, display, how = t.get("code"), t.get("display"), t.get("equivalence")
        if how == "unmatched":
            if len(targets) > 1 or code is not None or not t.get("comment"):
                raise fail("unmatched stands alone, without a code and with a comment")
            continue
        if how not in EQUIVALENCES:
            raise fail(f"equivalence {how!r} is not one of {', '.join(EQUIVALENCES)}")
        if not isinstance(code, str) or not code or not isinstance(display, str) or not display:
            raise fail("target without code or display")
        if own is not None and own.codes.get(code) != display:
            raise fail(f"target {code!r} is not, with this display, in list {own.id!r}")
        if how in ("inexact", "narrower") and not t.get("comment"):
            raise fail(f"equivalence {how} needs a comment")  # invariant cmd-1 of ConceptMap
        yield Target(system, code, display, how)
