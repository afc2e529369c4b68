"""What a derived measure is: a value of something, by a formula of a version, from records of versions.

Knows no formula and no record kind. A value is exact up to the published rounding (`exact.PLACES`); where there is
none, the reason says why, and nothing stands in its place: never 0, NaN or a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from .exact import Number, written

Made = TypeVar("Made")
REASONS = (
    "anchor_missing",  # the procedure that a score counts from is not stated, or its record is not here
    "attack_missing",  # a headache day does not say to which attack it belongs
    "baseline_ambiguous",  # several scores could be the last one before the procedure, and they differ
    "baseline_missing",
    "baseline_negative",  # a percent of a number below zero means nothing
    "baseline_zero",
    "before_anchor",  # a follow-up that was taken before what it counts from
    "comparability_unknown",  # context, site or side is not known, so it is not known to be the same (V4)
    "diary_incomplete",  # fewer than four of five days recorded
    "direction_unknown",  # the instrument does not say which end is better
    "duration_missing",
    "followup_ambiguous",  # two scores for one planned time point
    "followup_missing",
    "headache_unknown",
    "injectate_not_stated",
    "input_retracted",
    "last_point_missing",  # nothing is extrapolated past the last score
    "mixed_scales",
    "no_headache",
    "not_reached",
    "outside_window",
    "rescue_unknown",
    "strength_missing",
    "time_unknown",  # a time is known only in part, or not at all
    "timepoint_missing",  # the record does not say which planned time point it belongs to
    "volume_missing",
    "weight_missing",
    "window_unknown",
)
"""Why a value is undefined."""

CLASSES = ("open", "allocation_revealing", "allocation")


class Input(NamedTuple):
    """A record of one version that a value rests on."""

    record_id: str
    version: int


def cite(record: dict[str, Any]) -> Input:
    """The record as an input."""
    return Input(record["record_id"], record["version"])


class Undefined(Exception):
    """There is no value, for one of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def attempt(formula: Callable[..., Made], *given: Any, **more: Any) -> Made | Undefined:
    """What a formula gives, or why it gives nothing."""
    try:
        return formula(*given, **more)
    except Undefined as none:
        return none


@dataclass(frozen=True)
class Derived:
    """One derived value, or the statement that it is undefined.

    `key` says what it is a value of and stays the same over versions: a caller compares the keys and contents of two
    runs and voids what is undefined now or has vanished. `inputs` are the observations it rests on, in the order of
    the formula; `anchor` is the procedure where the value depends on its record, beside them because FHIR has another
    place for it. `at` (and `until`) is the time the value is about, as text of the record. A baseline has its own
    `scope`. `blinding_class` is the strictest of all that went in.
    """

    formula: str
    key: tuple[str, ...]
    value: Decimal | bool | str | None
    undefined: str | None = None
    unit: str | None = None
    inputs: tuple[Input, ...] = ()
    anchor: Input | None = None
    subject_id: str | None = None
    study_id: str | None = None
    procedure_id: str | None = None
    timepoint: str | None = None
    scope: str | None = None
    at: str | None = None
    until: str | None = None
    missing_timepoints: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    preliminary: bool = False
    blinding_class: str = "open"
    version: str = "1"

    @property
    def formula_id(self) -> str:
        """Formula and version in one word, such as pct_reduction-1."""
        return f"{self.formula}-{self.version}"

    def as_dict(self) -> dict[str, Any]:
        """For NDJSON, without what is empty; a value or `undefined` is always there."""
        told: dict[str, Any] = {"formula": self.formula, "version": self.version, "key": list(self.key)}
        told |= {"value": self.value} if self.undefined is None else {"undefined": self.undefined}
        plain = {
            name: getattr(self, name)
            for name in ("unit", "subject_id", "study_id", "procedure_id", "timepoint", "scope", "at", "until")
        }
        told |= {name: value for name, value in plain.items() if value is not None}
        if self.missing_timepoints:
            told["missing_timepoints"] = list(self.missing_timepoints)
        if self.labels:
            told["labels"] = self.labels
        if self.preliminary:
            told["preliminary"] = True
        told["blinding_class"] = self.blinding_class
        told["inputs"] = [one._asdict() for one in self.inputs]
        if self.anchor is not None:
            told["anchor"] = self.anchor._asdict()
        return told


def strictest(records: list[dict[str, Any]]) -> str:
    """The strictest blinding class of the records; open when there is none."""
    return max((one["blinding_class"] for one in records), key=CLASSES.index, default="open")


def derived(
    formula: str,
    key: tuple[str, ...],
    value: Number | str | Undefined,
    used: list[dict[str, Any]],
    *,
    anchor: dict[str, Any] | None = None,
    weighed: Sequence[dict[str, Any]] = (),
    unit: str | None = None,
    **more: Any,
) -> Derived:
    """A derived value from the records used, with their citations, blinding class and whether any is a draft.

    A number is written out by the published rounding; an `Undefined` becomes its reason. `weighed` are records that
    were looked at and are not cited: they count for the blinding class.
    """
    undefined = value.reason if isinstance(value, Undefined) else None
    told: Decimal | bool | str | None
    told = None if isinstance(value, Undefined) else value if isinstance(value, bool | str) else written(value)
    sources = used if anchor is None else [*used, anchor]
    return Derived(
        formula,
        (formula, *key),
        told,
        undefined,
        unit if undefined is None else None,
        tuple(cite(one) for one in used),
        None if anchor is None else cite(anchor),
        preliminary=any(one["record_status"] == "draft" for one in sources),
        blinding_class=strictest([*sources, *weighed]),
        **more,
    )
