"""YAML without surprises, with the line of every mapping: how the rows of the mappings are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml


class Row(dict[str, Any]):
    """A YAML mapping that knows the line, counted from 1, on which it starts."""

    line: int = 0


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without surprises: only null, true, false, whole numbers and exact decimals are not text.

    YAML 1.1 would read `no` as false, 1:1 as 61, 2026-02-18 as a date and 0.1 as a binary float: here the
    first three are text and the last is a Decimal. A key given twice is an error. Mappings become `Row`.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


def _row(loader: Any, node: yaml.MappingNode) -> Iterator[Row]:
    row = Row()
    row.line = node.start_mark.line + 1
    yield row
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        mark = key_node.start_mark
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, "a key is not text", mark)
        if key in row:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} twice", mark)
        row[key] = loader.construct_object(value_node, deep=True)


Loader.add_constructor("tag:yaml.org,2002:map", _row)
Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: Decimal(node.value))
for _tag, _pattern, _first in (
    ("null", r"(?:~|null|)\Z", ["~", "n", ""]),
    ("bool", r"(?:true|false)\Z", ["t", "f"]),
    ("int", r"-?(?:0|[1-9][0-9]*)\Z", [*"-0123456789"]),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+\Z", [*"-0123456789"]),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
