"""Scores against the procedure that they count from: inside the window (V3), on the treated side (V4).

The windows are those of the measures: the study's own, else the defaults of mappings/measures.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.measures.schedule import window

from .model import FLAG, REFUSE, Circle, Finding, Record, anchor

SIDES = {"left", "right"}


def inside(record: Record, circle: Circle) -> Iterator[Finding]:
    """V3: a score outside the window of its time point is kept and flagged."""
    score = circle.scores.get(record["record_id"])
    if score is not None and record.get("score_status") == "collected" and window(circle.chart, score) == "outside":
        yield Finding("V3.window", FLAG, "assessed_at", "window of its time point")


def side(record: Record, circle: Circle) -> Iterator[Finding]:
    """V4: a score of the treated site is on a side that was treated, unless its relation is contralateral or referred.

    Only left against right is decided: a score without a side, or of both, says less than the procedure.
    """
    procedure = circle.procedure(anchor(record))
    if (
        procedure is None
        or record.get("site_relation", "treated") != "treated"
        or record.get("laterality") not in SIDES
    ):
        return
    number = record.get("target_no")
    targets = [one for one in procedure.get("targets", ()) if number in (None, one["target_no"])]
    treated = {one.get("laterality") for one in targets}
    if not treated or not treated <= SIDES or record["laterality"] in treated:
        return
    limit = "a side of the targets, or site_relation contralateral or referred"
    if "wrong_site" in procedure.get("complications", ()):
        yield Finding("V4.side", FLAG, "laterality", limit, "the procedure was on the wrong side")
    else:
        yield Finding("V4.side", REFUSE, "laterality", limit)
