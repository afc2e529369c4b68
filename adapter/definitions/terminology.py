"""CodeSystems, ValueSets and ConceptMaps of `mappings/terminology`, which are in R4 form, as either version has them.

Between R4 and R5 only ConceptMap has changed in what our files use: scopes have other names, the equivalence of the
source became the relationship of the source (R4 told it of the target), and what has no match is said of the code. A
word that the table does not know is an error, never passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapter.definitions.head import Json
from adapter.errors import ConfigError
from adapter.mapping.rows import VERSIONS

_RELATIONSHIP = {
    "equal": "equivalent",
    "equivalent": "equivalent",
    "wider": "source-is-narrower-than-target",
    "narrower": "source-is-broader-than-target",
    "inexact": "related-to",
}
_NAMES = {
    "map": {"sourceUri": "sourceScopeUri", "targetUri": "targetScopeUri", "group": "group"},
    "group": dict.fromkeys(("source", "target", "element"), ""),
    "element": dict.fromkeys(("code", "display", "target"), ""),
    "target": dict.fromkeys(("code", "display", "equivalence", "comment"), ""),
}
_SAME = (
    *("resourceType", "id", "url", "version", "name", "title", "status", "experimental", "publisher", "description"),
    *("jurisdiction", "purpose", "copyright"),
)


def terminology(resources: Iterable[Json], version: str) -> Iterator[Json]:
    """The resources in the form of ``version``. Raises ConfigError naming a resource and an element without a rule."""
    others = tuple(f"-{other}" for other in VERSIONS if other != version)
    for resource in resources:
        if resource["id"].endswith(others):  # its codes are those of the other version
            continue
        if version == "R4" or resource["resourceType"] != "ConceptMap":
            yield {**resource, "publisher": "hydrofhir"}
        else:
            yield {**_map(resource), "publisher": "hydrofhir"}


def _map(old: Json) -> Json:
    _known(old, old, (*_SAME, *_NAMES["map"]))
    new = {_NAMES["map"].get(name, name): value for name, value in old.items()}
    new["group"] = [_group(old, group) for group in old["group"]]
    return new


def _group(old: Json, group: Json) -> Json:
    _known(old, group, _NAMES["group"])
    return {**group, "element": [_element(old, element) for element in group["element"]]}


def _element(old: Json, element: Json) -> Json:
    _known(old, element, _NAMES["element"])
    new: Json = {name: element[name] for name in ("code", "display") if name in element}
    targets = element["target"]
    for target in targets:
        _known(old, target, _NAMES["target"])
    if [target["equivalence"] for target in targets] == ["unmatched"]:
        return {**new, "noMap": True}  # R5 has no room for the comment that says why
    return {**new, "target": [_target(target) for target in targets]}


def _target(target: Json) -> Json:
    new: Json = {name: target[name] for name in ("code", "display") if name in target}
    new["relationship"] = _RELATIONSHIP[target["equivalence"]]
    return {**new, "comment": target["comment"]} if "comment" in target else new


def _known(old: Json, part: Json, names: Iterable[str]) -> None:
    if unknown := set(part) - set(names):
        raise ConfigError(f"ConceptMap-{old['id']}: no rule for {min(unknown)!r} in R5")
