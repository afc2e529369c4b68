"""All cases, one module a kind of record; importing a module adds its cases to the table."""

from __future__ import annotations

from tests.foreign import events, headaches, outcomes, procedures, studies, subjects  # noqa: F401
from tests.foreign.table import CASES

__all__ = ["CASES"]
