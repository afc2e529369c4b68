"""Procedures among their neighbours: order of sessions (V6), treated side (V7), allergies and doses (V8).

Dates and doses are those of the measures; limits are data (`dose_limit` in mappings/measures.yaml).
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.measures import times
from adapter.measures.dose import components, doses
from adapter.records.procedure_rules import CLASS_OF

from .model import DONE, FLAG, REFUSE, Circle, Finding, Record

SIDES = ("left", "right", "midline")
OVERRIDE = "allergy_override_{}_"  # and the reason: a code of the procedure's `deviations`


def sessions(record: Record, circle: Circle) -> Iterator[Finding]:
    """V6: a session number is unique in its course, and the dates of what was performed do not run backwards.

    Dates known in part are compared only where they do not overlap; else the order is unknown, which is a flag.
    """
    course, number = record.get("course_id"), record.get("session_number")
    if course is None or number is None:
        return
    for other in circle.others(record):
        if other.get("course_id") != course or "session_number" not in other:
            continue
        if other["session_number"] == number:
            yield Finding("V6.session", REFUSE, "session_number", "unique in its course")
            continue
        both = {record["performed_status"], other["performed_status"]} <= set(DONE)
        if both and "started_at" in record and "started_at" in other:
            first, second = sorted((record, other), key=lambda one: int(one["session_number"]))
            yield from _in_order(first["started_at"], second["started_at"])


def _in_order(first: str, second: str) -> Iterator[Finding]:
    limit = "order of the sessions of its course"
    if times.before(second, first):
        yield Finding("V6.order", REFUSE, "started_at", limit)
    elif times.span(first)[1] > times.span(second)[0]:
        message = "a date is known only in part, so the order of the sessions is not"
        yield Finding("V6.order", FLAG, "started_at", limit, message)


def side(record: Record, circle: Circle) -> Iterator[Finding]:
    """V7: every target is on the side of the condition that is treated; another side only with the complication
    wrong_site, and then flagged. A bilateral condition, or one without a side, allows any."""
    condition = circle.condition(record.get("indication"))
    wanted = None if condition is None else condition.get("laterality")
    if wanted not in SIDES:
        return
    told = "wrong_site" in record.get("complications", ())
    for number, target in enumerate(record.get("targets", ()), 1):
        if target.get("laterality", wanted) != wanted:
            limit = "the side of the condition"
            field = f"targets.{number}.laterality"
            if told:
                yield Finding("V7.side", FLAG, field, limit, "told as a complication: wrong_site")
            else:
                yield Finding("V7.side", REFUSE, field, limit, "or the complication wrong_site")


def allergies(record: Record, circle: Circle) -> Iterator[Finding]:
    """V8: no agent on the subject's allergy list, planned or given, unless the procedure says why: a code
    ``allergy_override_<agent>_<reason>`` among its deviations. An agent that is known by its class only may be one of
    the list, which is a flag."""
    allergic = set((circle.subject or {}).get("allergies", ())) - {"none"}
    if not allergic or record["performed_status"] == "not_done":
        return
    for path, component in components(record):
        agent = component.get("agent", "unspecified")
        if agent in allergic:
            start = OVERRIDE.format(agent)
            excused = any(code.startswith(start) and code != start for code in record.get("deviations", ()))
            limit = "no agent on the allergy list of the subject"
            if excused:
                yield Finding("V8.allergy", FLAG, f"{path}.agent", limit, "overridden with a reason")
            else:
                yield Finding("V8.allergy", REFUSE, f"{path}.agent", limit, f"or a deviation {start}<reason>")
        elif agent == "unspecified" and any(CLASS_OF.get(one) == component["agent_class"] for one in allergic):
            limit = "no agent on the allergy list of the subject"
            yield Finding("V8.allergy", FLAG, f"{path}.agent_class", limit, "the agent is not named, and may be one")


def anaesthetic(record: Record, circle: Circle) -> Iterator[Finding]:
    """V8: more local anaesthetic than the limit allows for the weight, skin included."""
    limits = {f"la_over_limit-{one.name}": one for one in circle.catalog.measures.dose_limits}
    if not any(one["agent_class"] == "local_anaesthetic" for _, one in components(record)):
        return
    for dose in doses(circle.chart):
        if dose.value is True and dose.formula in limits and dose.inputs[0].record_id == record["record_id"]:
            bound = limits[dose.formula]
            text = f"{bound.agent}: {bound.mg_per_kg} mg/kg, at most {bound.max_mg} mg"
            yield Finding("V8.dose", FLAG, "injectate_components", text)
