"""Headache diaries: days by our published questionnaire, and periods of days."""

from __future__ import annotations

from tests.foreign.table import left_alone, read, refused
from tests.foreign.writers import OWN, coding, diary_day, diary_month, quantity, resource, said

DAY, MONTH = "QuestionnaireResponse/q-1", "Observation/m-1"
NAUSEA = {"valueCoding": coding(f"{OWN}/headache-symptom", "nausea")}

# -- read ---------------------------------------------------------------------------------------------------------

read("a day without headache", DAY, lambda v: [diary_day(symptoms=NAUSEA, mood={"valueString": "fair"})],
     diary_date="2026-02-25", headache=False, symptoms=["nausea"], entered_at="2026-02-25T20:00:00+00:00",
     recorded_at="2026-03-01T10:00:00.000+00:00")  # fmt: skip
read(
    "a day that was changed elsewhere",
    DAY,
    lambda v: [{**diary_day(), "status": "amended"}],
    record_status="final",
    version=1,
)
read("a month of days", MONTH, lambda v: [diary_month()], start="2026-02-01", days_planned=28, days_recorded=None)

# -- refused ------------------------------------------------------------------------------------------------------

refused("a day that somebody gave up", DAY, lambda v: [{**diary_day(), "status": "stopped"}], "record_status", "code")
refused(
    "a symptom of another list",
    DAY,
    lambda v: [diary_day(symptoms={"valueCoding": coding("https://ward.example/s", "x")})],
    "symptoms.1",
    "unknown_code",
)
refused("a symptom in words", DAY, lambda v: [diary_day(symptoms={"valueString": "nausea"})], "symptoms.1", "choice")
refused("a part of a date", DAY, lambda v: [diary_day(diary_date={"valueDate": "2026-02"})], "diary_date", "format")
refused(
    "about nobody", DAY, lambda v: [{k: x for k, x in diary_day().items() if k != "subject"}], "subject_id", "required"
)
refused(
    "a month that is not whole days",
    MONTH,
    lambda v: [diary_month(effectivePeriod={"start": "2026-02-19T08:00:00+00:00", "end": "2026-03-18"})],
    "start",
    "period",
)
refused(
    "a month that has not ended",
    MONTH,
    lambda v: [diary_month(effectivePeriod={"start": "2026-02-19"})],
    "start",
    "period",
)
refused(
    "a month at one moment",
    MONTH,
    lambda v: [diary_month(effectivePeriod=None, effectiveDateTime="2026-02-19")],
    "start",
    "choice",
)
refused("about so many days recorded", MONTH,
        lambda v: [diary_month(component=[{"code": said("component", "days-recorded"), "valueQuantity": quantity(20, "d", comparator=">=")}])], "days_recorded", "comparator")  # fmt: skip

# -- none of our business -----------------------------------------------------------------------------------------

left_alone("a questionnaire about sleep", "QuestionnaireResponse/q",
           lambda v: [resource("QuestionnaireResponse", "q", {"status": "completed", "questionnaire": "https://elsewhere.example/Questionnaire/sleep"})])  # fmt: skip
