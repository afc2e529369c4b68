"""What technique, performed status and the stated numbers of a procedure make legal (domain rules V5, V6 in
part).

It must not compare with other records (side of the condition, session order, allergies, doses by weight): those
rules are in `neighbours`.
"""

from __future__ import annotations

from decimal import Decimal

from .rules import TOLERANCE, Out, Record, each, excused, forbid, need, not_after
from .times import later

NEEDS_INJECTATE = (
    "nerve_hydrodissection",
    "fascial_hydrorelease",
    "myofascial_hydrodissection",
    "interfascial_hydrodissection",
    "diagnostic_injection",
)
NERVE_TECHNIQUES = ("nerve_hydrodissection", "nerve_block")
DONE = ("completed", "partial", "abandoned")
ONLY_IF_DONE = (
    "ended_at",
    "needle_entries",
    "needle_passes",
    "twitch_response",
    "guidance_realtime",
    "image_saved",
    "procedural_pain_nrs",
    "immediate_response",
    "immediate_response_evidence",
    "downtime_days",
    "return_activity_date",
)
AFTERWARDS = (
    "layers_after",
    "fascia_mm_after",
    "nerve_csa_after",
    "gliding_after",
    "separation_achieved",
    "extent_cm2",
)
NO_STRENGTH = ("sterile_water", "prp")
AGENTS_OF = {
    "dextrose": ("dextrose",),
    "saline": ("sodium_chloride",),
    "local_anaesthetic": ("lidocaine", "bupivacaine", "ropivacaine", "mepivacaine", "procaine"),
    "corticosteroid": ("triamcinolone", "betamethasone", "dexamethasone", "methylprednisolone"),
    "hyaluronidase": ("hyaluronidase",),
    "prp": ("platelet_rich_plasma",),
    "sterile_water": ("sterile_water",),
}
CLASS_OF = {agent: agent_class for agent_class, agents in AGENTS_OF.items() for agent in agents}
STRONGEST_MG_PER_ML = {"dextrose": Decimal(500), "lidocaine": Decimal(40)}


def times(record: Record, out: Out) -> None:
    """End not before start; what was done was done before it was recorded; a lot had not expired (V6)."""
    not_after(record, out, "started_at", "ended_at")
    if record["performed_status"] in DONE:
        for name in ("started_at", "ended_at"):
            if name in record and later(record[name], record["recorded_at"]):
                out.add(name, "recorded_before", "not after recorded_at")
    for path, item in _all_components(record):
        if "expiry" in item and "started_at" in record and later(record["started_at"][:10], item["expiry"]):
            out.add(path + "expiry", "expired", "not before the date of the procedure")


def performed(record: Record, out: Out) -> None:
    """What was not completed says why; what was not done has no results."""
    status = record["performed_status"]
    if status == "completed":
        if "not_done_reason" in record:
            out.add("not_done_reason", "not_done", "only when not completed")
    elif status != "planned":
        need(record, out, "not_done_reason", record, when="not completed")
    if status not in DONE:
        forbid(record, out, "", ONLY_IF_DONE, "not_done", "only when performed")
        for path, item in each(record, "targets"):
            forbid(item, out, path, AFTERWARDS, "not_done", "only when performed")
        if any(code != "none" for code in record.get("complications", ())):
            out.add("complications", "not_done", "only when performed")


def injectate(record: Record, out: Out) -> None:
    """V5: dry needling has no injectate; injecting techniques state it, or say why not."""
    technique, stated = record["technique"], record.get("injectate_stated")
    if technique == "dry_needling":
        if stated:
            out.add("injectate_stated", "V5.no_injectate", "dry_needling has no injectate")
        names = ("injectate_total_ml", "injectate_components")
        forbid(record, out, "", names, "V5.no_injectate", "dry_needling has no injectate")
        for path, item in each(record, "targets"):
            forbid(item, out, path, ("volume_ml",), "V5.no_injectate", "dry_needling has no injectate")
        return
    if stated is None and not excused(record, "injectate_stated"):
        out.add("injectate_stated", "absent_reason", "a value, or its absent reason")
    given = "injectate_components" in record
    if stated is False and given:
        out.add("injectate_components", "V5.injectate", "only when injectate_stated is true")
    elif stated and not given:
        out.add("injectate_components", "V5.injectate", "needed when injectate_stated is true")
    elif not given and technique in NEEDS_INJECTATE and record["performed_status"] in DONE:
        need(record, out, "injectate_components", record, when="the technique injects", rule="V5.injectate")
    if stated and record["performed_status"] in DONE:
        need(record, out, "injectate_total_ml", record, when="injectate_stated is true")


def components(record: Record, out: Out) -> None:
    """Each component: agent of its class, a strength with its unit within the legal limit, a volume."""
    for path, item in _all_components(record):
        agent, value = item.get("agent"), item.get("conc_value")
        if agent in CLASS_OF and item["agent_class"] != CLASS_OF[agent]:
            out.add(path + "agent_class", "agent_class", CLASS_OF[agent])
        if value is None:
            if item["agent_class"] not in NO_STRENGTH:
                need(record, out, path + "conc_value", item, when="the agent has a strength")
        elif "conc_unit" not in item:
            out.add(path + "conc_unit", "unit", "needed when conc_value is given")
        elif item["conc_unit"] == "percent_wv" and value > 100:
            out.add(path + "conc_value", "range", "100 percent_wv")
        elif agent in STRONGEST_MG_PER_ML and _mg_per_ml(item) > STRONGEST_MG_PER_ML[agent]:
            out.add(path + "conc_value", "strength", f"{STRONGEST_MG_PER_ML[agent] / 10} percent_wv")
        if record["performed_status"] in DONE:
            need(record, out, path + "volume_ml", item, when="injected")


def volumes(record: Record, out: Out) -> None:
    """The total is the sum over components and over targets, within 0.1 mL; known parts never exceed it."""
    total = record.get("injectate_total_ml")
    if total is None:
        return
    done = record["performed_status"] in DONE
    for name in ("injectate_components", "targets"):
        parts = [item.get("volume_ml") for _, item in each(record, name)]
        known = sum((part for part in parts if part is not None), Decimal(0))
        whole = parts and None not in parts
        if known > total + TOLERANCE or (whole and known < total - TOLERANCE):
            out.add("injectate_total_ml", "sum", f"sum of {name}.volume_ml, within {TOLERANCE} mL")
    if done and record["technique"] != "dry_needling":
        for path, item in each(record, "targets"):
            need(record, out, path + "volume_ml", item, when="injectate_total_ml is given")


def technique_fields(record: Record, out: Out) -> None:
    """V5: passes and twitch belong to dry needling; interfascial needs both planes; nerve techniques a
    nerve.
    """
    technique = record["technique"]
    if technique == "dry_needling":
        if record["performed_status"] in DONE:
            for name in ("needle_passes", "twitch_response"):
                need(record, out, name, record, when="technique is dry_needling")
    else:
        forbid(record, out, "", ("needle_passes", "twitch_response"), "V5.dry_needling", "only for dry_needling")
    if technique == "interfascial_hydrodissection":
        for path, item in each(record, "targets"):
            for name in ("plane_superficial", "plane_deep"):
                if name not in item:
                    out.add(path + name, "V5.planes", "both planes for the interfascial technique")
    if technique in NERVE_TECHNIQUES and "targets" in record:
        kinds = [item.get("structure_type", "nerve") for _, item in each(record, "targets")]
        if "nerve" not in kinds:
            out.add("targets", "V5.nerve", "a target of structure_type nerve")


def targets(record: Record, out: Out) -> None:
    """Targets are numbered 1 to n; planes differ; layers belong to a plane, not to a bare nerve."""
    numbers = [item["target_no"] for _, item in each(record, "targets")]
    for path, item in each(record, "targets"):
        if item["target_no"] > len(numbers) or numbers.count(item["target_no"]) > 1:
            out.add(path + "target_no", "numbering", f"each of 1..{len(numbers)} once")
        upper, lower = item.get("plane_superficial"), item.get("plane_deep")
        if upper is not None and upper == lower:
            out.add(path + "plane_deep", "planes_differ", "not plane_superficial")
        for name in ("plane_superficial", "plane_deep"):
            if item.get(name, "").endswith("_nerve"):
                out.add(path + name, "plane_structure", "a muscle or fascia")
        if item.get("structure_type") == "nerve" and upper is None and lower is None:
            names = ("layers_before", "layers_after")
            forbid(item, out, path, names, "layers", "only with a plane")


def imaging_and_needle(record: Record, out: Out) -> None:
    """Probe and stored image belong to ultrasound; a filiform needle has a diameter, others a gauge."""
    if "ultrasound" not in record.get("guidance", ()):
        forbid(record, out, "", ("probe_type", "probe_mhz", "image_saved"), "ultrasound", "only with ultrasound")
    kind = record.get("needle_kind")
    if kind == "filiform":
        forbid(record, out, "", ("needle_gauge",), "needle", "not for a filiform needle")
    else:
        forbid(record, out, "", ("needle_diameter_mm",), "needle", "only for a filiform needle")


def effects(record: Record, out: Out) -> None:
    """Complications are listed if and only if they were looked for; evidence goes with a response."""
    assessed = record.get("ae_assessed")
    if assessed:
        need(record, out, "complications", record, when="ae_assessed is true")
    elif "complications" in record:
        out.add("complications", "ae_assessed", "only when ae_assessed is true")
    if "immediate_response_evidence" in record and record.get("immediate_response") in (None, "not_assessed"):
        out.add("immediate_response_evidence", "reference", "only with an assessed immediate_response")


def large_volume(record: Record, out: Out) -> None:
    """Warning: more than 20 mL at one target."""
    for path, item in each(record, "targets"):
        if item.get("volume_ml", 0) > 20:
            out.add(path + "volume_ml", "W.volume", "20 mL per target")


def more_layers(record: Record, out: Out) -> None:
    """Warning: more layers after than before."""
    for path, item in each(record, "targets"):
        if item.get("layers_after", 0) > item.get("layers_before", 20):
            out.add(path + "layers_after", "W.layers", "layers_before")


def more_sessions(record: Record, out: Out) -> None:
    """Warning: the course has more sessions than planned."""
    if record.get("session_number", 0) > record.get("sessions_planned", 50):
        out.add("session_number", "W.sessions", "sessions_planned")


def _all_components(record: Record) -> list[tuple[str, Record]]:
    """Components of the injectate and of the skin anaesthetic, with their paths."""
    found = list(each(record, "injectate_components"))
    if "skin_anaesthetic" in record:
        found.append(("skin_anaesthetic.", record["skin_anaesthetic"]))
    return found


def _mg_per_ml(item: Record) -> Decimal:
    """Strength in mg/mL: 1 % w/v is 10 mg/mL."""
    value: Decimal = item["conc_value"]
    return value * 10 if item["conc_unit"] == "percent_wv" else value
