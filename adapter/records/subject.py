"""Subject: a person under a study pseudonym, with conditions and prior therapies (domain model, Patient).

Never a name, a hospital number or a full date of birth. Weight serves the dose rules; conditions are
referred to by procedures through condition_id.
"""

from __future__ import annotations

from .base import KEY, C, Item, O, R
from .fields import Code, Constant, Key, SubjectKey, Text
from .meta import RecordSchema
from .nested import Codes, Items
from .number_fields import Dec, Int
from .rules import Out, Record, each, not_after, recorded_after, unique
from .time_fields import DateTimeOrPartial, Partial


class Condition(Item):
    """One painful condition of the subject."""

    condition_id = Key(KEY, "Key of the condition within the subject")
    condition_code = Code("condition", KEY, "The condition", other_text="condition_text")
    condition_text = Text(
        C("condition_code is other", excusable=False), "The condition in the source's words", longest=500
    )
    body_site = Code("body-site", R, "Where it hurts", other_text="body_site_text")
    body_site_text = Text(C("body_site is other", excusable=False), "The site in the source's words", longest=200)
    laterality = Code("laterality", R, "Side")
    onset = Partial(O, "When it began, as far as known")
    duration_months = Dec("0", "720", O, "How long it has lasted", unit="mo")
    diagnosis_basis = Code("diagnosis-basis", O, "What the diagnosis rests on")
    pain_component = Code("pain-component", O, "Somatic or neuropathic pain, or both")
    symptoms = Codes("symptom", O, "Symptoms")
    aggravators = Codes("aggravator", O, "What makes it worse")
    coexists_with = Key(O, "condition_id of another condition of this subject that coexists")


class PriorTherapy(Item):
    """A treatment tried before, or still used beside ours."""

    therapy = Code("therapy", KEY, "Kind of therapy", other_text="therapy_text")
    therapy_text = Text(C("therapy is other", excusable=False), "The therapy in the source's words", longest=500)
    response = Code("therapy-response", O, "How well it helped")
    period_start = Partial(O, "Start, as far as known")
    period_end = Partial(O, "End, as far as known")


def condition_links(record: Record, out: Out) -> None:
    """Condition keys are unique; coexists_with names another condition of this record."""
    unique(record, out, "conditions", "condition_id")
    known = {item["condition_id"] for _, item in each(record, "conditions")}
    for path, item in each(record, "conditions"):
        friend = item.get("coexists_with")
        if friend is not None and (friend == item["condition_id"] or friend not in known):
            out.add(path + "coexists_with", "reference", "condition_id of another condition of this record")
        if "onset" in item:
            _not_after_record(record, out, path + "onset", item["onset"])


def _not_after_record(record: Record, out: Out, path: str, time: str) -> None:
    nested = Out()
    recorded_after("time")({"time": time, "recorded_at": record["recorded_at"]}, nested)
    for _, fault in nested.found:
        out.add(path, fault.rule, fault.limit)


def life(record: Record, out: Out) -> None:
    """Born before recorded, not dead before born; therapies end after they start."""
    born = record.get("birth_year")
    if born is not None and born > int(record["recorded_at"][:4]):
        out.add("birth_year", "range", "not after the year of recorded_at")
    if born is not None and "deceased_at" in record and int(record["deceased_at"][:4]) < born:
        out.add("deceased_at", "order", "not before birth_year")
    for path, item in each(record, "prior_therapies"):
        inner = Out()
        not_after(item, inner, "period_start", "period_end")
        for name, fault in inner.found:
            out.add(path + name, fault.rule, fault.limit)


class Subject(RecordSchema):
    """A person, pseudonymous."""

    kind = Constant("subject", KEY, "Record kind")
    subject_id = SubjectKey(KEY, "Study pseudonym, unique per site")
    site_id = Key(KEY, "Site that looks after the subject")
    sex = Code("sex", R, "Sex as the source states it")
    birth_year = Int(1900, 2100, O, "Year of birth; never the full date", unit="a")
    deceased_at = DateTimeOrPartial(O, "Time of death, as far as known")
    weight_kg = Dec("30", "250", O, "Body weight", unit="kg")
    height_cm = Dec("120", "220", O, "Body height", unit="cm")
    allergies = Codes("agent", O, "Agents the subject is allergic to, or none", none=True)
    anticoagulant = Code("anticoagulant-use", O, "Use of anticoagulants")
    conditions = Items(Condition, R, "Painful conditions; at least one for a treated subject", most=50)
    prior_therapies = Items(PriorTherapy, O, "Therapies tried before", most=100)

    key_fields = ("subject_id",)
    rules = (condition_links, life, recorded_after("deceased_at"))
