"""Doses: milligrams of each agent of a session, and local anaesthetic in all, skin included [LAST].

1 percent weight per volume is 10 mg/mL; a dose is mg/mL x mL, exact. The limit of an agent is data
(`dose_limit` in mappings/measures.yaml). What is not stated is not taken as nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from adapter.catalog import DoseLimit

from .chart import Chart, Record
from .exact import Number, exact
from .model import Derived, Undefined, attempt, derived

PERCENT_TO_MG = 10
NO_STRENGTH = ("sterile_water", "prp")
ANAESTHETIC = "local_anaesthetic"


def dose_mg(component: Record) -> Fraction:
    """Milligrams of one component: strength x volume. Undefined where either is not stated."""
    if "conc_value" not in component or "conc_unit" not in component:
        raise Undefined("strength_missing")
    if "volume_ml" not in component:
        raise Undefined("volume_missing")
    factor = PERCENT_TO_MG if component["conc_unit"] == "percent_wv" else 1
    return exact(component["conc_value"]) * factor * exact(component["volume_ml"])


def limit_mg(limit: DoseLimit, weight_kg: Number | None) -> Fraction:
    """The most of an agent for a weight. Undefined without the weight."""
    if weight_kg is None:
        raise Undefined("weight_missing")
    return min(exact(limit.mg_per_kg) * exact(weight_kg), exact(limit.max_mg))


def over_limit(limit: DoseLimit, known_mg: Number, missing: Undefined | None, weight_kg: Number | None) -> bool:
    """Whether a dose is above the limit; to reach it is allowed. `known_mg` is the part that is stated, `missing` why
    the rest is not: more than the limit is certain even then. Undefined where it is not certain."""
    if known_mg > limit.max_mg:
        return True
    top = limit_mg(limit, weight_kg)
    if known_mg > top:
        return True
    if missing is not None:
        raise missing
    return False


def components(procedure: Record) -> Iterable[tuple[str, Record]]:
    """Every component injected, with its path: those of the injectate, and the anaesthetic of the skin."""
    for number, component in enumerate(procedure.get("injectate_components", ()), 1):
        yield f"injectate_components.{number}", component
    if "skin_anaesthetic" in procedure:
        yield "skin_anaesthetic", procedure["skin_anaesthetic"]


def doses(chart: Chart) -> list[Derived]:
    """Doses of every performed session, and the local anaesthetic it comes to."""
    found = []
    subjects = chart.of_kind("subject")
    for procedure in chart.of_kind("procedure"):
        if chart.performed(procedure["procedure_id"]) is procedure:
            found += _of_session(chart, procedure, subjects[0] if subjects else None)
    return found


def _of_session(chart: Chart, procedure: Record, subject: Record | None) -> list[Derived]:
    parts = list(components(procedure))
    found = []
    for path, component in parts:
        if component["agent_class"] in NO_STRENGTH and "conc_value" not in component:
            continue  # an agent without a strength has no dose in milligrams
        value = attempt(dose_mg, component)
        labels = {"component": path, "agent_class": component["agent_class"]}
        if "agent" in component:
            labels["agent"] = component["agent"]
        found.append(_row("dose_mg", procedure, (path,), value, [procedure], unit="mg", labels=labels))
    anaesthetic = [one for _, one in parts if one["agent_class"] == ANAESTHETIC]
    if not anaesthetic:
        return found
    silent = Undefined("injectate_not_stated") if procedure.get("injectate_stated") is False else None
    known, missing = _sum(anaesthetic, silent)
    found.append(_row("la_total_mg", procedure, (), known if missing is None else missing, [procedure], unit="mg"))
    for limit in chart.catalog.measures.dose_limits:
        own = [one for one in anaesthetic if one.get("agent", "unspecified") in (limit.agent, "unspecified")]
        if not own:
            continue
        found.append(_against(limit, procedure, subject, own, silent))
    return found


def _against(
    limit: DoseLimit, procedure: Record, subject: Record | None, own: list[Record], silent: Undefined | None
) -> Derived:
    """Whether the session is above the limit of an agent. An anaesthetic that is not named may be this one."""
    named = [one for one in own if one.get("agent") == limit.agent]
    unnamed = None if len(named) == len(own) else Undefined("strength_missing")
    known, missing = _sum(named, silent or unnamed)
    weight = None if subject is None else subject.get("weight_kg")
    used = [procedure] if subject is None or weight is None else [procedure, subject]
    labels = {"agent": limit.agent}
    value = attempt(over_limit, limit, known, missing, weight)
    return _row(f"la_over_limit-{limit.name}", procedure, (), value, used, labels=labels)


def _sum(parts: list[Record], silent: Undefined | None) -> tuple[Fraction, Undefined | None]:
    """What is stated of a sum, and why it is not all."""
    known, missing = Fraction(0), silent
    for one in parts:
        dose = attempt(dose_mg, one)
        if not isinstance(dose, Undefined):
            known += dose
        elif missing is None:
            missing = dose
    return known, missing


def _row(
    formula: str, procedure: Record, key: tuple[str, ...], value: Number | Undefined, used: list[Record], **more: Any
) -> Derived:
    return derived(
        formula, (procedure["record_id"], *key), value, used,
        subject_id=procedure["subject_id"], study_id=procedure.get("study_id"),
        procedure_id=procedure["procedure_id"], at=procedure.get("started_at"), **more,
    )  # fmt: skip
