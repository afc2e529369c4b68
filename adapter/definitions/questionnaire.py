"""Questionnaires: the questions that a QuestionnaireResponse of ours answers, with types and answers as in its rows."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.definitions.head import Json, head
from adapter.definitions.presence import Presence
from adapter.mapping import Mapper
from adapter.mapping.extensions import asks, inside
from adapter.mapping.lists import ListNode, Repeat
from adapter.mapping.mapper import Part
from adapter.mapping.nodes import Leaf, Obj
from adapter.mapping.via.coded import Coded

_TYPES = {
    **{f"value{name}": name.lower() for name in ("Boolean", "Date", "Decimal", "Integer", "String", "Time")},
    "valueDateTime": "dateTime",
}
_CODED = {"R4": "choice", "R5": "coding"}  # R5 has renamed it


def questionnaires(mappers: Mapping[str, Mapper], presence: Mapping[str, Presence]) -> list[Json]:
    """One for each block that answers one of ours; ``mappers`` are those of one FHIR version, by kind."""
    parts = [(mapper, part) for mapper in mappers.values() for part in mapper.parts if asks(part)]
    return [_questionnaire(mapper, part, presence[mapper.kind]) for mapper, part in parts]


def _questionnaire(mapper: Mapper, part: Part, presence: Presence) -> Json:
    said = part.block.questionnaire
    assert said is not None, "the proof has asked for it"
    scope = part.block.each or ""
    items = next(node for node in part.tree.children if isinstance(node, ListNode) and node.key == "item")
    return {
        **head("Questionnaire", asks(part).rpartition("/")[2], said["title"], said["text"]),
        "subjectType": ["Patient"],
        "item": [_item(mapper, obj, said["items"], presence.certain(obj, scope)) for obj in items.members],
    }


def _item(mapper: Mapper, obj: Obj, texts: Mapping[str, str], certain: bool) -> Json:
    answers = next(node for node in obj.children if isinstance(node, ListNode) and node.key == "answer")
    (member,) = answers.members
    answer, _ = inside(member, "")
    leaf = next(node for node in answer.children if isinstance(node, Leaf))
    name = obj.fixed["linkId"]
    item: Json = {"linkId": name, "text": texts[name]}
    coded = leaf.key == "valueCoding"
    item["type"] = _CODED[mapper.version] if coded else _TYPES[leaf.key]
    if certain:
        item["required"] = True
    if isinstance(member, Repeat):
        item["repeats"] = True
    if coded and isinstance(leaf.via, Coded):
        item["answerValueSet"] = f"{mapper.env.base}/ValueSet/{leaf.via.valueset}"
    return item
