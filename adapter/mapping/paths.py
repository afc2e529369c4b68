"""Paths of mapping rows, as text and as steps. Knows nothing of FHIR beyond the shape of a path.

status                                   an element
performer[0].actor                       a list that this row uses as one element
extension[record].extension[version]     one element of a list, told apart by its slice name
category[]                               one element per item of the field's list
extension[aggravating-factor][].value    a slice that repeats per item
performed[x]                             a choice element; the transform picks the type
"""

from __future__ import annotations

import re
from typing import NamedTuple

_STEP = re.compile(r"(?P<name>[A-Za-z_$]\w*)(?P<choice>\[x\])?(?:\[(?P<slice>[^\[\]]+)\])?(?P<repeat>\[\])?\Z")


class Step(NamedTuple):
    """One step: element name, slice name (``"0"`` = the one element), repeats per item, is a choice."""

    name: str
    slice: str | None = None
    repeat: bool = False
    choice: bool = False

    def __str__(self) -> str:
        return (
            self.name
            + ("[x]" if self.choice else "")
            + (f"[{self.slice}]" if self.slice else "")
            + ("[]" if self.repeat else "")
        )


def parse(text: str) -> tuple[Step, ...]:
    """Split ``text`` into steps. Raises ValueError saying which step cannot be read."""
    steps = []
    for part in re.split(r"\.(?![^\[]*\])", text):
        found = _STEP.match(part)
        if not found:
            raise ValueError(f"step {part!r} of path {text!r} cannot be read")
        steps.append(Step(found["name"], found["slice"], found["repeat"] is not None, found["choice"] is not None))
    return tuple(steps)
