"""V9: what an enrolment says of a criterion follows from the score that it cites (Enrolment.eligibility_results).

Where the criterion has a machine rule and the score is here, the answer is calculated anew, on unrounded numbers, as
the measures do: `met`, and the value to the digits it is written with. A score outside its window answers no criterion
of a time point. What cannot be calculated is no contradiction. The enrolment comes before its evidence, so it is kept
and flagged.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from adapter.measures.baseline import scopes
from adapter.measures.chart import Score
from adapter.measures.exact import exact, written
from adapter.measures.model import Undefined
from adapter.measures.reduction import change, numbers, pct_reduction
from adapter.measures.schedule import window

from .model import FLAG, Circle, Finding, Record

OPS = {"ge": operator.ge, "gt": operator.gt, "le": operator.le, "lt": operator.lt, "eq": operator.eq}


def follows(record: Record, circle: Circle) -> Iterator[Finding]:
    """Every result of an enrolment against the score it cites."""
    criteria = {one["criterion_id"]: one for one in circle.studies.get(record["study_id"], {}).get("eligibility", ())}
    for number, result in enumerate(record.get("eligibility_results", ()), 1):
        criterion = criteria.get(result["criterion_id"], {})
        score = circle.scores.get(result.get("evidence_id", ""))
        if score is None or "measure" not in criterion or score.retracted:
            continue
        try:
            value = _value(criterion["measure"], circle, score)
        except Undefined:
            continue
        path = f"eligibility_results.{number}"
        answer = OPS[criterion["op"]](value, exact(criterion["value"]))
        late = "timepoint" in criterion and window(circle.chart, score) == "outside"
        if result["met"] != (answer and not late):
            message = "the score is outside its window" if answer and late else ""
            yield Finding("V9.result", FLAG, f"{path}.met", "as the cited evidence has it", message)
        if "value" in result and not _same(value, result["value"]):
            yield Finding("V9.result", FLAG, f"{path}.value", "as the cited evidence has it")


def _value(measure: str, circle: Circle, score: Score) -> Fraction:
    """The measure of a criterion, of this score. Undefined where the score does not have it."""
    match measure:
        case "pct_reduction_calc":
            return pct_reduction(*numbers(score, scopes(circle.chart, score)["procedure"]))
        case "change":
            return change(*numbers(score, scopes(circle.chart, score)["procedure"]), direction=score.direction)
        case "score" if score.value is not None:
            return score.value
        case "pct_relief_reported" if measure in score.record:
            return exact(score.record[measure])
    raise Undefined("followup_missing")


def _same(value: Fraction, told: int | Decimal) -> bool:
    """Whether a number is what was told, to the digits that were told."""
    places = max(0, -int(Decimal(told).as_tuple().exponent))
    return written(value, places) == told
