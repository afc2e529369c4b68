"""What the synthetic corpus tells: eligibility, arms, curves, missing visits, the registry stories."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from statistics import mean

from adapter.synthetic import generate

CORPUS = list(generate(200, seed=2))
ENROLMENTS = {r["subject_id"]: r for r in CORPUS if r["kind"] == "enrolment"}
STATES = {subject: [step["status"] for step in record["status_history"]] for subject, record in ENROLMENTS.items()}
EVENTS = [r for r in CORPUS if r["kind"] == "adverse_event"]
SCORES = [r for r in CORPUS if r["kind"] == "pain_outcome"]
ARM = {subject: record["assigned_arm"] for subject, record in ENROLMENTS.items() if "assigned_arm" in record}


def _means(code):
    """Mean NRS on movement after the trial treatment, by arm."""
    found = defaultdict(list)
    for score in SCORES:
        if (
            score["subject_id"] in ARM
            and score["anchor_procedure_id"] == "P2"
            and score["timepoint_code"] == code
            and score["pain_context"] == "movement"
            and score["score_status"] == "collected"
            and score["record_status"] != "entered_in_error"
        ):
            found[ARM[score["subject_id"]]].append(float(score["score"]))
    return {arm: mean(values) for arm, values in found.items()}


def test_eligibility_is_at_least_half_less_pain_one_hour_after_the_diagnostic_injection():
    scored = {
        (s["subject_id"], s["timepoint_code"]): s["score"]
        for s in SCORES
        if s["anchor_procedure_id"] == "P1" and s["pain_context"] == "movement" and "score" in s
    }
    answers = Counter()
    for subject, record in ENROLMENTS.items():
        for result in record.get("eligibility_results", ()):
            if result["criterion_id"] == "INC-2":
                before, after = scored[subject, "screening"], scored[subject, "h1"]
                assert result["met"] == (2 * after <= before) == ("assigned_arm" in record)
                assert abs(result["value"] - 100 * (before - after) / before) <= Decimal("0.05")
                answers[result["met"]] += 1
    assert answers[True] > answers[False] > 10


def test_every_course_of_events_occurs():
    ends = Counter(states[-1] for states in STATES.values())
    assert set(ends) == {"screen_failed", "completed", "withdrawn", "lost_to_follow_up"}
    reasons = {record.get("screen_fail_reason") for record in ENROLMENTS.values()}
    assert reasons >= {"diagnostic_negative", "contraindication", "consent_declined", "lost"}
    assert any("unblinding" in record for record in ENROLMENTS.values())
    switched = [r for r in ENROLMENTS.values() if "period_arms" in r]
    assert switched
    assert all(r["period_arms"] == [r["assigned_arm"], r["actual_arm"]] for r in switched)


def test_arms_stay_one_to_one_and_numbers_do_not_tell_them():
    sizes = Counter(ARM.values())
    assert abs(sizes["A1"] - sizes["A2"]) <= 6, "at most 2 in each of 3 sites"
    numbers = sorted((ENROLMENTS[s]["randomisation_no"], arm) for s, arm in ARM.items())
    firsts = Counter(arm for _, arm in numbers[: len(numbers) // 2])
    assert 0.3 < firsts["A1"] / sum(firsts.values()) < 0.7
    assert not any(arm in number for number, arm in numbers)


def test_hydrodissection_lasts_and_dry_needling_wanes():
    start, hour, late = _means("baseline"), _means("h1"), _means("m3")
    assert abs(start["A1"] - start["A2"]) < 0.8
    assert hour["A1"] < start["A1"] - 2
    assert hour["A2"] < start["A2"] - 2
    assert late["A1"] < late["A2"] - 1.5
    assert late["A2"] > hour["A2"]


def test_no_score_after_a_withdrawal():
    for subject, states in STATES.items():
        if states[-1] != "withdrawn":
            continue
        left = datetime.fromisoformat(ENROLMENTS[subject]["status_history"][-1]["at"])
        own = [s for s in SCORES if s["subject_id"] == subject]
        assert all(datetime.fromisoformat(s["assessed_at"]) <= left for s in own if "score" in s)
        late = [s for s in own if s["timepoint_code"] in ("m1", "m3")]
        assert late
        assert all(s["score_status"] == "not_done" and s["missing_reason"] == "withdrawn" for s in late)


def test_missing_visits_and_versions_are_there():
    reasons = Counter(s["missing_reason"] for s in SCORES if s["score_status"] == "not_done")
    assert len(reasons) >= 4
    states = Counter(r["record_status"] for r in CORPUS if r["version"] == 2)
    assert set(states) == {"amended", "corrected", "entered_in_error"}
    assert sum(states.values()) < 0.1 * len(CORPUS)


def test_offsets_follow_the_season_of_each_site():
    offsets = defaultdict(set)
    for score in SCORES:
        if len(score.get("assessed_at", "")) > 10:
            offsets[score["site_timezone"]].add(score["assessed_at"][-6:])
    assert offsets == {
        "Europe/Istanbul": {"+03:00"},
        "America/New_York": {"-05:00", "-04:00"},
        "Europe/Berlin": {"+01:00", "+02:00"},
    }


def test_the_hour_between_two_equal_wall_times():
    migraine = next(
        r for r in CORPUS if r["kind"] == "procedure" and r["targets"][0]["structure_code"] == "occipital_nerve"
    )
    follow_up = next(s for s in SCORES if s["subject_id"] == migraine["subject_id"] and s["timepoint_code"] == "h1")
    assert migraine["ended_at"][:19] == follow_up["assessed_at"][:19]
    waited = datetime.fromisoformat(follow_up["assessed_at"]) - datetime.fromisoformat(migraine["ended_at"])
    assert waited.total_seconds() == 3600


def test_registry_patients_tell_the_stories_of_the_documents():
    acts = [r for r in CORPUS if r["kind"] == "procedure" and "study_id" not in r]
    structures = {target["structure_code"] for act in acts for target in act["targets"]}
    assert structures >= {
        *("dorsal_scapular_nerve", "cluneal_nerve", "median_nerve", "ulnar_nerve"),
        *("occipital_nerve", "trigeminal_nerve", "hamstrings", "trapezius"),
    }
    assert any(act["guidance"] == ["mri"] for act in acts if "guidance" in act)
    assert any(act["session_number"] == 3 and act["performed_status"] == "not_done" for act in acts)
    assert any(len(act["started_at"]) == 7 for act in acts), "a partial date"
    assert any({t["laterality"] for t in act["targets"]} == {"left", "right"} for act in acts)
    assert any("hamstring_sleeve" in act.get("equipment_advice", ()) for act in acts)
    assert any("injectate_components.1.conc_value" in act.get("field_absent_reason", ()) for act in acts)
    mixed = [{c["agent_class"] for c in act.get("injectate_components", ())} for act in acts]
    assert {"local_anaesthetic", "corticosteroid", "saline"} in mixed


def test_every_complication_is_an_adverse_event_and_the_other_way_round():
    """Rule V15, over the codes that both lists know."""
    acts = {(r["subject_id"], r["procedure_id"]): r for r in CORPUS if r["kind"] == "procedure"}
    told = {(e["subject_id"], e["procedure_id"], e["ae_code"]) for e in EVENTS}
    seen = {(*key, code) for key, act in acts.items() for code in act.get("complications", ()) if code != "none"}
    assert {code for *_, code in seen} == {"vasovagal", "haematoma"}
    assert seen == {event for event in told if event[2] in ("vasovagal", "haematoma")}
    for event in EVENTS:
        act = acts[event["subject_id"], event["procedure_id"]]
        assert event["onset_at"][:7] >= act["started_at"][:7]
        agents = {part["agent"] for part in act.get("injectate_components", ())}
        assert set(event.get("suspect", ())) <= {"procedure", "device", *agents}


def test_adverse_events_are_few_mostly_mild_and_end_where_the_person_does():
    grades = Counter(event["grade"] for event in EVENTS)
    assert len(EVENTS) < 0.3 * len(STATES)
    assert grades[1] > 0.8 * len(EVENTS)
    subjects = {r["subject_id"]: r for r in CORPUS if r["kind"] == "subject"}
    for event in EVENTS:
        if event["ae_outcome"] == "fatal":
            assert event["end_at"] == subjects[event["subject_id"]]["deceased_at"]
    left = {s for s, record in ENROLMENTS.items() if record.get("withdrawal_reason") == "adverse_event"}
    assert left == {event["subject_id"] for event in EVENTS if event["caused_withdrawal"]} != set()


def test_a_diary_has_its_days_and_fewer_headaches_after_the_session():
    periods = [r for r in CORPUS if r["kind"] == "headache_period"]
    days = {r["record_id"]: r for r in CORPUS if r["kind"] == "headache_day"}
    assert {day for period in periods for day in period["days"]} == set(days)
    months = defaultdict(list)
    for period in periods:
        own = [days[day] for day in period["days"]]
        assert {day["subject_id"] for day in own} == {period["subject_id"]}
        assert min(day["diary_date"] for day in own) >= period["start"]
        assert 24 <= len(own) == period["days_recorded"] <= 28
        months[period["subject_id"]].append((period["start"], sum(day["headache"] for day in own)))
    assert all(len(two) == 2 for two in months.values())
    before, after = zip(*(sorted(two) for two in months.values()), strict=True)
    assert sum(n for _, n in after) < 0.75 * sum(n for _, n in before)


def test_disability_goes_with_pain():
    moving = {
        (s["subject_id"], s["timepoint_code"]): s["score"]
        for s in SCORES
        if s["anchor_procedure_id"] == "P2" and s["pain_context"] == "movement" and "score" in s
    }
    pairs = [
        (float(moving[r["subject_id"], r["timepoint_code"]]), float(r["score"]))
        for r in CORPUS
        if r["kind"] == "function_outcome" and r["instrument"] == "odi" and "score" in r
    ]
    assert mean(odi for pain, odi in pairs if pain >= 6) > 2 * mean(odi for pain, odi in pairs if pain <= 2)
    tools = {r["instrument"] for r in CORPUS if r["kind"] == "function_outcome"}
    assert tools >= {"hit6", "midas", "bctq_sss", "bctq_fss", "pgic", "lefs", "quickdash", "rom", "ppt", "ncs"}
