"""One made-up person while the records are being written: ids, local times, RecordMeta, scores.

All moments are naive local times of the person's site until they are written; the offset then comes from
the time zone database. It must not know which story is told."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from adapter.records import schema
from adapter.records.absent import fields_of
from adapter.records.derive import idempotency_key, record_id, standard_offset

Record = dict[str, Any]
NOT_TAKEN = ("assessed_at", "assessor_id", "mode")
SCALES = {
    "nrs_0_10": ("0", "10"),
    "vas_0_100_mm": ("0", "100"),
    "vas_0_10_cm": ("0", "10"),
    "vrs_4": ("0", "3"),
    "unspecified_validated": ("0", "10"),
}


@dataclass(frozen=True)
class Site:
    """A synthetic site in a real time zone."""

    site_id: str
    name: str
    zone: str


SITES = (
    Site("TR-IST-01", "Synthetic site, Istanbul", "Europe/Istanbul"),
    Site("US-NYC-01", "Synthetic site, New York", "America/New_York"),
    Site("DE-BER-01", "Synthetic site, Berlin", "Europe/Berlin"),
)


@cache
def order(kind: str) -> tuple[str, ...]:
    """Field names of a kind in schema order."""
    return tuple(fields_of(schema(kind)))


def in_order(record: Record) -> Record:
    """The record with its fields in schema order."""
    return {name: record[name] for name in order(record["kind"]) if name in record}


def add_months(day: datetime, months: int) -> datetime:
    """The same day number so many months later, clipped to the end of the month (domain rule V3)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def working_day(moment: datetime) -> datetime:
    """The moment, or the Monday after its weekend."""
    return moment + timedelta(days=(0, 0, 0, 0, 0, 2, 1)[moment.weekday()])


class Person:
    """The person, the site, the dice, and what all the person's records share."""

    def __init__(self, seed: int, subject_id: str, site: Site, dice: Random, study_id: str | None = None):
        self.source = f"synthetic-{seed}"
        self.subject_id = subject_id
        self.site = site
        self.dice = dice
        self.study_id = study_id
        self._zone = ZoneInfo(site.zone)

    def at(self, moment: datetime) -> str:
        """A local moment as text with the offset of the site then; `fold` tells doubled hours apart."""
        return moment.replace(tzinfo=self._zone).isoformat()

    def make(
        self,
        kind: str,
        local_id: str,
        recorded: datetime,
        body: Record,
        *,
        absent: dict[str, str] | None = None,
        blinding: str = "open",
        revised: tuple[str, str] | None = None,
        status: str = "final",
    ) -> Record:
        """A whole record. `local_id` is unique among the person's records of the kind and gives the ids;
        `revised` is the status and the reason of a second version."""
        source_id = f"{self.subject_id}.{local_id}" if local_id else self.subject_id
        version = 2 if revised else 1
        record: Record = {
            "kind": kind,
            "record_id": record_id(kind, self.source, source_id),
            "source_system": self.source,
            "source_record_id": source_id,
            "version": version,
            "record_status": status,
            "recorded_at": self.at(recorded),
            "recorded_by": f"DM{1 + len(source_id) % 3}",
            "idempotency_key": idempotency_key(kind, self.source, source_id, version),
            "blinding_class": blinding,
            "site_timezone": self.site.zone,
            "synthetic": True,
            "subject_id": self.subject_id,
        }
        if revised:
            record["supersedes_version"] = 1
            record["record_status"], record["change_reason"] = revised
        if absent:
            record["field_absent_reason"] = absent
        if self.study_id and kind != "subject":
            record["study_id"] = self.study_id
        record.update(body)
        record["business_key"] = schema(kind).business(record)
        return in_order(record)

    def score(
        self,
        anchor: str,
        timepoint: str,
        when: datetime,
        value: Decimal | int | None,
        *,
        place: tuple[str, str],
        missing: str = "",
        context: str = "movement",
        target: int | None = 1,
        instrument: str = "nrs_0_10",
        absent: dict[str, str] | None = None,
        revised: tuple[str, str] | None = None,
        twin: str = "",
        **more: Any,
    ) -> Record:
        """A pain score, or with `missing` the statement that none was taken at its planned time `when`.

        `place` is body site and side; `twin` tells a retracted double from the true record.
        """
        low, high = SCALES[instrument]
        body: Record = {
            "anchor_procedure_id": anchor,
            "timepoint_code": timepoint,
            "nominal_offset": standard_offset(timepoint),
            "instrument": instrument,
            "scale_min": Decimal(low),
            "scale_max": Decimal(high),
            "direction": "lower_better",
            "pain_context": context,
            "recall_period": "now",
            "body_site": place[0],
            "laterality": place[1],
            "site_relation": "treated",
            "assessor_id": "AS1",
            "assessor_role": "first_assessor",
            "assessor_blinded": False,
            "mode": "in_person",
        } | more
        if target is not None:
            body["target_no"] = target
        if missing:
            body |= {"score_status": "not_done", "missing_reason": missing}
            absent = dict.fromkeys(NOT_TAKEN, "not_done")
            drop: tuple[str, ...] = (*NOT_TAKEN, "pct_relief_reported", "blind_guess", "rescue_since_last")
            recorded = when + timedelta(days=14)
        else:
            body |= {"score": Decimal(value or 0), "score_status": "collected"}
            body.setdefault("assessed_at", self.at(when))
            drop = tuple(absent or ())
            wait = timedelta(minutes=5 + 5 * self.dice.randrange(12), days=3 if revised else 0)
            recorded = (when + wait).replace(fold=when.fold)
        for name in drop:
            body.pop(name, None)
        where = str(target) if target else place[1]
        local_id = ".".join((anchor, where, instrument, context, timepoint)) + twin
        return self.make("pain_outcome", local_id, recorded, body, absent=absent, revised=revised)


def component(
    agent_class: str, agent: str, strength: str = "", unit: str = "percent_wv", ml: str = "", **more: Any
) -> Record:
    """A part of an injectate, in schema order; empty strength or volume is left out."""
    item: Record = {"agent_class": agent_class, "agent": agent}
    if strength:
        item |= {"conc_value": Decimal(strength), "conc_unit": unit}
    if ml:
        item["volume_ml"] = Decimal(ml)
    return item | more


def target(
    number: int, structure_type: str, structure: str, region: str, side: str, *, level: str = "", **more: Any
) -> Record:
    """A target; `more` in schema order. Numbers given as text become decimals."""
    return {
        "target_no": number,
        "structure_type": structure_type,
        "structure_code": structure,
        "structure_level": level or "unspecified",
        "region": region,
        "laterality": side,
    } | {name: Decimal(v) if name.endswith(_DECIMAL) else v for name, v in more.items()}


_DECIMAL = ("mm_before", "mm_after", "csa_before", "csa_after", "extent_cm2", "volume_ml")
