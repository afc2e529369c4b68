"""What a resource always has: the elements that are there whenever the element around them is.

Stricter than the proof of the mappings, for which an absent reason in an element's place is enough: a profile that asks
for an element asks for its value. Must not know how a definition looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.mapping import FieldInfo, Mapper
from adapter.mapping.lists import Contained, Item, ListNode, Repeat
from adapter.mapping.nodes import Fixed, Leaf, Obj, passes
from adapter.mapping.proof import Prover
from adapter.mapping.via.basics import Presence as EitherWay
from adapter.mapping.via.basics import Table
from adapter.mapping.via.coded import Coded


class Presence:
    """Answers for one record kind; ``fields`` say which of its fields always have a value."""

    def __init__(self, mapper: Mapper, fields: Mapping[str, FieldInfo]) -> None:
        self.fields = fields
        self.always = {p.name for p in mapper.parts if p.block.always and not p.block.each} | {"root"}

    def certain(self, node: Any, scope: str, alone: bool = False) -> bool:
        """Is the node's element there whenever the object around it is? ``alone``: would it bring that object into
        being, as constants do not?"""
        if not passes(node):
            return False
        if isinstance(node, Fixed):
            return not alone
        if isinstance(node, Leaf):
            return self._leaf(node, scope, alone)
        if isinstance(node, Item):
            return self.certain(node.leaf, scope, alone)
        if isinstance(node, ListNode):
            return any(self.certain(member, scope, alone) for member in node.members)
        if isinstance(node, Repeat):
            name = Prover.full(node.name, scope)
            return self._given(node.name, scope) and self.certain(node.obj, name, alone=True)
        if isinstance(node, Contained):
            return self.certain(node.obj, scope, alone=True)
        assert isinstance(node, Obj)
        if node.constant:
            return not alone
        return any(self.certain(child, scope, alone=True) for child in node.children)

    def _leaf(self, leaf: Leaf, scope: str, alone: bool) -> bool:
        row, via = leaf.row, leaf.via
        if row.mode == "read":
            return False
        if row.missing:
            return not alone
        if row.mode == "link":
            return row.to in self.always
        if isinstance(via, EitherWay):
            return True
        if not via.certain or (isinstance(via, Coded) and via.skip):
            return False
        if isinstance(via, Table) and any(out is None for _, out in via.rows):
            return False
        return leaf.names == (".",) or any(self._given(name, scope) for name in leaf.names)

    def _given(self, name: str, scope: str) -> bool:
        """Has the field a value in every record?"""
        if name.startswith(("$", "@")):
            return name == "$kind"
        info = self.fields.get(Prover.full(name, scope))
        return info is not None and info.required and not info.soft
