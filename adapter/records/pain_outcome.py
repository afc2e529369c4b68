"""Pain outcome: one pain score, or the statement that it was not taken, anchored to one procedure.

Percent reductions are calculated elsewhere and refused here.
"""

from __future__ import annotations

from typing import ClassVar

from .base import KEY, O, R
from .fields import Code, Constant, Derived, Tool
from .number_fields import Dec
from .outcome import Outcome, taken_or_not
from .rules import Record, Rule


class PainOutcome(Outcome):
    """A pain score."""

    kind = Constant("pain_outcome", KEY, "Record kind")
    instrument = Tool("pain", KEY, "Instrument")
    pain_context = Code("pain-context", R, "What the pain was scored at")
    recall_period = Code("recall-period", R, "Time the score looks back over")
    pct_relief_reported = Dec("0", "100", O, "Relief in the patient's own words, collected, not calculated", unit="%")
    pct_reduction_calc = Derived("Percent reduction from baseline")
    baseline_scope = Derived("Baseline the reduction refers to")
    derivation_status = Derived("Whether the reduction is defined")

    rules: ClassVar[tuple[Rule, ...]] = (*Outcome.rules, taken_or_not("score", "pct_relief_reported"))

    @classmethod
    def what(cls, record: Record) -> tuple[str, ...]:
        """Instrument and context: contexts are never mixed."""
        return record["instrument"], record.get("pain_context", "-")
