"""Matchers: how list elements and resources are recognised by what they hold, never by their position."""

from __future__ import annotations

from typing import Any

from adapter.mapping.lists import Contained
from adapter.mapping.nodes import Matcher, Obj
from adapter.mapping.paths import Step
from adapter.mapping.rows import Row
from adapter.mapping.via import Env
from adapter.mapping.via.coded import Coded


def equal_matcher(key: str, value: Any) -> Matcher:
    """Is element ``key`` just this value?"""

    def matches(ctx: Any, el: Any) -> bool:
        return bool(el.get(key) == value)

    if isinstance(value, str):
        matches.shelf = (key, False, (value,))  # type: ignore[attr-defined]
    return matches


def coded_matcher(key: str, via: Coded) -> Matcher:
    """Is element ``key`` a concept of this transform's list?"""
    return lambda ctx, el: key in el and via.recognises(el[key])


def concept_matcher(key: str, concept: dict[str, Any]) -> Matcher:
    """Does element ``key`` hold one of the concept's codings? A list element matches by any of its items."""
    wanted = {(c["system"], c["code"]) for c in concept["coding"]}

    def one(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        codings = value.get("coding", (value,))
        if not isinstance(codings, list | tuple):
            return False
        return any(isinstance(c, dict) and (c.get("system"), c.get("code")) in wanted for c in codings)

    def matches(ctx: Any, el: Any) -> bool:
        value = el.get(key)
        return any(map(one, value)) if isinstance(value, list) else one(value)

    matches.shelf = (key, True, tuple(wanted))  # type: ignore[attr-defined]
    return matches


def constant_matcher(env: Env, type_name: str, row: Row, path: tuple[Step, ...]) -> Matcher:
    """Does the object hold the row's constant at ``path`` (any item, where the path crosses a list)?"""
    step = path[0]
    element = env.elements(type_name).get(step.name)
    if len(path) == 1 or element is None:
        if row.concept is not None:
            return concept_matcher(step.name, env.concept(row.concept))
        return equal_matcher(step.name, row.fix)
    inner, key = constant_matcher(env, element.type, row, path[1:]), step.name

    def matches(ctx: Any, el: Any) -> bool:
        value = el.get(key)
        items = value if isinstance(value, list) else [value]
        return any(isinstance(item, dict) and inner(ctx, item) for item in items)

    return matches


def contained_matcher(member: Obj, rest: tuple[Step, ...]) -> Matcher:
    """Does the reference at ``rest`` lead to the contained resource that this slice is for?"""

    def below(obj: Obj) -> list[Contained]:
        out = [c for c in obj.children if isinstance(c, Contained)]
        for child in obj.children:
            out += below(child) if isinstance(child, Obj) else []
        return out

    node, keys = below(member)[-1], [s.name for s in rest]

    def matches(ctx: Any, el: Any) -> bool:
        for key in keys:
            el = el.get(key) if isinstance(el, dict) else None
        return node.found(ctx, el) is not None

    return matches
