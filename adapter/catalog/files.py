"""The files of `mappings/`: read once each, in a fixed order, with a digest of all of them. Knows no meaning."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from adapter.catalog.model import BASE
from adapter.catalog.rows import Loader, Row
from adapter.errors import ConfigError

Fail = Callable[[str], ConfigError]  # reason -> error that names file and entry


def within(fail: Fail, entry: str) -> Fail:
    return lambda reason: fail(f"{entry}: {reason}")


def each(resource: dict[str, Any], key: str, fail: Fail, where: str = "") -> list[dict[str, Any]]:
    """The list of objects under `key`, refused when it is missing, empty or something else."""
    found = resource.get(key)
    if not isinstance(found, list) or not found or not all(isinstance(i, dict) for i in found):
        raise fail(f"{where}{key} is not a list of objects")
    return found


class Files:
    """Reads files below `root`, each once and in a fixed order, and keeps the digest of all of them."""

    def __init__(self, root: Path) -> None:
        self.root, self.digest = root, hashlib.sha256()

    def text(self, file: Path) -> str:
        name = file.relative_to(self.root).as_posix()
        try:
            data = file.read_bytes()
            text = data.decode()
        except (OSError, UnicodeDecodeError) as e:
            raise ConfigError(f"{name}: cannot be read: {type(e).__name__}") from e
        self.digest.update(f"{name}\0{len(data)}\0".encode() + data)
        return text

    def fail(self, file: Path) -> Fail:
        return lambda reason: ConfigError(f"{file.relative_to(self.root).as_posix()}: {reason}")

    def resources(self, kind: str) -> Iterator[tuple[dict[str, Any], Fail]]:
        folder = self.root / "terminology"
        if kind == "CodeSystem":  # once: a file that no loop below would read is a mistake, not a spare
            for file in sorted(folder.glob("*.json")):
                if file.name.partition("-")[0] not in ("CodeSystem", "ValueSet", "ConceptMap"):
                    raise self.fail(file)("a file here is named CodeSystem-, ValueSet- or ConceptMap-id.json")
        for file in sorted(folder.glob(f"{kind}-*.json")):
            fail = self.fail(file)
            try:
                resource = json.loads(self.text(file), object_pairs_hook=_unique)
            except ValueError as e:
                raise fail(f"not JSON: {e}") from e
            if not isinstance(resource, dict) or resource.get("resourceType") != kind:
                raise fail(f"resourceType is not {kind}")
            if f"{kind}-{resource.get('id')}.json" != file.name:
                raise fail(f"id {resource.get('id')!r} is not the one in the file name")
            if resource.get("url") != f"{BASE}/{kind}/{resource['id']}":
                raise fail(f"url is not {BASE}/{kind}/{resource['id']}")
            yield resource, fail

    def yaml(self, file: Path) -> Row:
        fail = self.fail(file)
        try:
            # a SafeLoader with fewer types, not the loader that builds any object
            loaded = yaml.load(self.text(file), Loader=Loader)  # noqa: S506
        except yaml.MarkedYAMLError as e:
            raise fail(f"line {e.problem_mark.line + 1 if e.problem_mark else '?'}: {e.problem}") from e
        except yaml.YAMLError as e:
            raise fail(f"not YAML: {type(e).__name__}") from e
        if not isinstance(loaded, Row):
            raise fail("is not a mapping of words to values")
        return loaded


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        keys = [k for k, _ in pairs]
        raise ValueError(f"key {next(k for k in keys if keys.count(k) > 1)!r} twice")
    return out
