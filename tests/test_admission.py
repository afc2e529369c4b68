"""Intake with rules between records: refused, held back and retried, kept with flags. Scenarios S04, S07, S09, S10."""

from __future__ import annotations

import io
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter import codec, pipeline, records, synthetic
from adapter.admission import Admission
from adapter.records import intake
from adapter.report import Report
from adapter.store import Store
from tests.neighbours.story import made
from tests.records.helpers import GONE

Record = dict[str, Any]
PARENTS = ("study", "subject", "enrolment", "procedure")


def story() -> list[Record]:
    return [made(kind) for kind in (*PARENTS, "pain_outcome")]


def again(record: Record, version: int = 2, **changes: Any) -> Record:
    """A later version of a record."""
    raw = {k: v for k, v in record.items() if k != "idempotency_key"}
    history = {"supersedes_version": version - 1, "change_reason": "corrected", "record_status": "corrected"}
    return records.load(None, raw | {"version": version} | history | changes)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as opened:
        yield opened


def take(store: Store, found: Iterable[Record], **more: Any) -> Report:
    rows = io.BytesIO(b"\n".join(codec.dumps(one) for one in found))
    return pipeline.intake(store, intake.read(rows), Report("intake"), **more)


def kept(store: Store) -> dict[tuple[str, str], tuple[int, bytes]]:
    return {(one.kind, one.key): (one.version, one.body) for one in store.iter_records()}


def waits(store: Store) -> set[tuple[str, str, str]]:
    """What waits, for what: kind, rule, kind awaited."""
    return {(one.kind, one.rule, one.awaited_kind) for one in store.waiting()}


def counts(report: Report) -> dict[str, int]:
    found: dict[str, int] = report.as_dict()["counts"]
    return found


def rules(report: Report) -> list[str]:
    return [issue.rule for issue in report.issues]


def flagged(report: Report) -> list[tuple[str | None, str]]:
    return [(flag.record, flag.rule) for flag in report.flags]


# -- parents and children ------------------------------------------------------------------------------------------


def test_children_before_their_parents_in_one_file_are_kept(store: Store) -> None:
    report = take(store, reversed(story()))
    assert (report.exit_code, counts(report)) == (0, {"read": 5, "new": 5})
    assert store.waiting_count() == 0


def test_children_far_before_their_parents_are_kept_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of one record: every child goes through the quarantine, and out of it again before the intake ends."""
    monkeypatch.setattr("adapter.admission.CHUNK", 1)
    report = take(store, reversed(story()))
    assert (report.exit_code, counts(report)) == (0, {"read": 5, "new": 5})
    assert store.waiting_count() == 0
    with Store("sqlite:///" + str(store._db._engine.url.database) + ".other") as other:
        take(other, story())
        assert kept(other) == kept(store)


def test_what_lacks_its_parents_waits_and_comes_in_order(store: Store) -> None:
    study, subject, enrolment, procedure, score = story()
    report = take(store, [score, procedure, enrolment])
    assert report.exit_code == 3
    assert counts(report) == {"read": 3, "waiting": 3, "issues": 3}
    assert waits(store) == {
        ("enrolment", "V11.subject", "subject"),
        ("procedure", "V11.subject", "subject"),
        ("pain_outcome", "V11.subject", "subject"),
    }
    assert kept(store) == {}
    report = take(store, [subject])
    assert (report.exit_code, report.counts["new"]) == (0, 1)  # what waits of another intake is not its business
    assert waits(store) == {
        ("enrolment", "V11.study", "study"),
        ("procedure", "V11.study", "study"),
        ("pain_outcome", "V11.study", "study"),
    }
    report = take(store, [study])
    assert (report.exit_code, report.counts["new"], store.waiting_count()) == (0, 4, 0)
    assert {kind for kind, _ in kept(store)} == {one["kind"] for one in story()}


def test_the_same_record_offered_again_waits_once(store: Store) -> None:
    """V13 in the quarantine: no second row, and the intake still says that it waits."""
    score = made("pain_outcome")
    for _ in range(2):
        report = take(store, [score, score])
        assert (report.exit_code, report.counts["waiting"], store.waiting_count()) == (3, 1, 1)
    other = made("pain_outcome", {"score": Decimal(4)})
    report = take(store, [other])
    assert (report.exit_code, rules(report), store.waiting_count()) == (1, ["V12-conflict"], 1)


def test_a_condition_that_comes_with_a_later_version_of_the_subject(store: Store) -> None:
    study, subject, enrolment, *_ = story()
    other = made("procedure", {"indication": "CTS-L"})
    assert take(store, [study, subject, enrolment, other]).exit_code == 3
    assert waits(store) == {("procedure", "V11.condition", "subject")}
    hand = {"condition_id": "CTS-L", "condition_code": "carpal_tunnel", "body_site": "wrist", "laterality": "left"}
    report = take(store, [again(subject, conditions=[*subject["conditions"], hand])])
    assert (report.counts["new"], report.counts["changed"], store.waiting_count()) == (1, 1, 0)


def test_a_record_that_waited_may_still_be_refused(store: Store) -> None:
    """V7 cannot be asked before the subject is there; afterwards it is, and the report of that intake says so."""
    wrong = made("procedure", {"targets.1.laterality": "right", "study_id": GONE})
    take(store, [wrong])
    report = take(store, [made("subject")])
    assert (report.exit_code, rules(report), store.waiting_count()) == (1, ["V7.side"], 0)
    assert report.issues[0].record == wrong["record_id"]


def test_waiting_ends_after_some_days_with_a_report(store: Store) -> None:
    score, subject = made("pain_outcome"), made("subject", {"subject_id": "HD-0099"})
    take(store, [score])
    assert take(store, [subject], waiting_days=1).counts["expired"] == 0
    report = take(store, [subject], waiting_days=0)
    assert (report.exit_code, report.counts["expired"], store.waiting_count()) == (1, 1, 0)
    assert [(issue.record, issue.rule) for issue in report.issues] == [(score["record_id"], "V11.subject")]


def test_an_intake_that_was_broken_off_is_made_good_by_the_next(store: Store) -> None:
    """The parent was kept, and then nothing more happened: the next intake of anything finds who waited for it."""
    study, subject, enrolment, procedure, score = story()
    take(store, [enrolment, procedure, score])
    for parent in (study, subject):
        body = codec.dumps(parent)
        store.put_records([(parent["kind"], records.key(parent), parent, body, parent["record_id"])])
    report = take(store, [])
    assert (report.counts["new"], store.waiting_count()) == (3, 0)


# -- versions ------------------------------------------------------------------------------------------------------


def test_version_three_waits_for_version_two(store: Store) -> None:
    """S10: v3 before v2; the final state equals one clean send."""
    first = made("subject")
    second, third = again(first, 2, weight_kg=Decimal("70")), again(first, 3, weight_kg=Decimal("71"))
    take(store, [first])
    report = take(store, [third])
    assert (report.exit_code, rules(report)) == (3, ["V12-gap"])
    assert take(store, [second]).counts["changed"] == 2
    [(version, body)] = kept(store).values()
    assert (version, codec.loads(body)["weight_kg"]) == (3, Decimal("71"))
    assert [number for number, _ in store.versions("subject", ("HD-0017",))] == [1, 2]
    assert store.waiting_count() == 0


def test_versions_of_a_child_wait_in_order(store: Store) -> None:
    score = made("pain_outcome")
    take(store, [again(score, 2, score=5), score])
    take(store, [again(score, 3, score=6)])
    assert store.waiting_count() == 3
    take(store, story()[:4])
    assert [number for number, _ in store.versions("pain_outcome", records.key(score))] == [1, 2]
    assert store.waiting_count() == 0


def test_sending_twice_and_the_same_version_with_other_content(store: Store) -> None:
    """S10: the same message twice is nothing; the same version with another volume is a conflict."""
    take(store, story())
    assert counts(take(store, story())) == {"read": 5, "unchanged": 5}
    other = made("procedure", {"injectate_total_ml": Decimal("10.05")})
    report = take(store, [other])
    assert (report.exit_code, rules(report)) == (1, ["V12-conflict"])


def test_an_old_version_after_its_correction_is_refused(store: Store) -> None:
    """S09: right, corrected to left; the replay of version 1 is refused, and what is kept is version 2."""
    study, _, enrolment, procedure, _ = story()
    both = made("subject", {"conditions.1.laterality": "bilateral"})
    right = made("procedure", {"targets.1.laterality": "right"})
    left = again(right, 2, targets=procedure["targets"])
    assert take(store, [study, both, enrolment, right, left]).exit_code == 0
    report = take(store, [right])
    assert (report.exit_code, rules(report)) == (1, ["V12-older"])
    assert kept(store)["procedure", "HD-0017|P2"][0] == 2


def test_a_record_of_the_wrong_subject_is_retracted_and_entered_again(store: Store) -> None:
    """S09: entered in error keeps its id and stays; the same score of the right subject is a record of its own."""
    take(store, story())
    score = story()[-1]
    wrong = again(score, 2, record_status="entered_in_error")
    other = [made("subject", {"subject_id": "HD-0033"}, "33")]
    right = made("pain_outcome", {"subject_id": "HD-0033", "study_id": GONE, "anchor_procedure_id": GONE,
        "field_absent_reason": {"anchor_procedure_id": "not_in_source"}}, "33-4")  # fmt: skip
    report = take(store, [wrong, *other, right])
    assert (report.exit_code, report.counts["changed"], report.counts["new"]) == (0, 1, 2)


# -- refused and flagged -------------------------------------------------------------------------------------------


def test_refused_records_are_named_and_the_rest_goes_on(store: Store) -> None:
    """S07 for rules between records: record, field, rule and limit; nothing rescaled, and no value told."""
    study, subject, enrolment, procedure, score = story()
    early = made("procedure", {"procedure_id": "P9", "course_id": "C9", "started_at": "2026-02-17"}, "9")
    report = take(store, [study, subject, enrolment, early, procedure, score])
    assert (report.exit_code, report.counts["new"], report.counts["refused"]) == (1, 5, 1)
    [issue] = report.issues
    assert (issue.record, issue.field, issue.rule) == (early["record_id"], "started_at", "V10")
    assert issue.limit == "not before randomised_at of the enrolment"
    assert "2026" not in str(issue).replace(early["record_id"], "")


def test_after_a_withdrawal_only_safety_and_what_was_not_done(store: Store) -> None:
    """S04: a new m1 score is refused; that it was not taken is recorded; one from before the withdrawal is accepted."""
    study, subject, enrolment, procedure, score = story()
    left = {"consent_withdrawn_at": "2026-03-10T09:00:00+03:00", "withdrawal_reason": "consent_withdrawn",
            "withdrawal_scope": "all", "data_retention": "keep", "recorded_at": "2026-03-10T12:00:00+03:00"}  # fmt: skip
    assert take(store, [study, subject, enrolment, procedure, again(enrolment, 2, **left)]).exit_code == 0
    month = {"timepoint_code": "m1", "nominal_offset": "P1M", "recorded_at": "2026-03-20T12:00:00+03:00"}
    new = made("pain_outcome", month | {"assessed_at": "2026-03-18T10:00:00+03:00"}, "m1")
    gone = dict.fromkeys(("score", "pct_relief_reported", "assessed_at", "assessor_id", "mode"), GONE)
    absent = {"field_absent_reason": dict.fromkeys(("assessed_at", "assessor_id", "mode"), "withdrawn")}
    none = made(
        "pain_outcome", month | gone | absent | {"score_status": "not_done", "missing_reason": "withdrawn"}, "n"
    )
    report = take(store, [new, none, score])
    assert (rules(report), report.counts["new"]) == (["withdrawal"], 2)


def test_after_an_allergic_reaction_the_next_session_with_the_agent_is_blocked(store: Store) -> None:
    """S12: the reaction comes with its procedure, the allergy with the subject's next version, then lidocaine again."""
    study, subject, enrolment, procedure, _ = story()
    reaction = {"ae_code": "allergic_reaction", "ae_term": "urticaria and wheeze", "suspect": ["lidocaine"]}
    assert take(store, [study, subject, enrolment, procedure, made("adverse_event", reaction)]).exit_code == 0
    assert counts(take(store, [again(subject, 2, allergies=["lidocaine"])]))["changed"] == 1
    session = {"procedure_id": "P3", "session_number": 2, "sessions_planned": 2, "started_at": "2026-03-18",
               "ended_at": "2026-03-18", "recorded_at": "2026-03-18T18:00:00+03:00", "return_activity_date": GONE}  # fmt: skip
    report = take(store, [made("procedure", session, "next")])
    assert (report.exit_code, rules(report)) == (1, ["V8.allergy"])
    assert report.issues[0].field == "skin_anaesthetic.agent"
    reason = {"deviations": ["allergy_override_lidocaine_skin_test_negative"]}
    report = take(store, [made("procedure", session | reason, "next")])
    assert (report.exit_code, [rule for _, rule in flagged(report)]) == (0, ["V8.allergy"])
    report = take(store, [made("procedure", session | {"skin_anaesthetic": GONE, "procedure_id": "P4",
        "session_number": 3}, "other")])  # fmt: skip
    assert report.exit_code == 0


def test_flags_are_kept_beside_the_record(store: Store) -> None:
    late = made(
        "pain_outcome", {"assessed_at": "2026-03-05T10:05:00+03:00", "recorded_at": "2026-03-05T10:20:00+03:00"}
    )
    report = take(store, [*story()[:4], late])
    assert (report.exit_code, report.counts["flagged"], report.counts["new"]) == (0, 1, 5)
    [said] = report.as_dict()["flags"]
    assert said == {
        "record": late["record_id"], "field": "assessed_at", "rule": "V3.window", "limit": "window of its time point"
    }  # fmt: skip
    assert report.issues == []
    [flag] = store.iter_flags()
    assert (flag.kind, flag.version, flag.rule, flag.record_id) == ("pain_outcome", 1, "V3.window", late["record_id"])
    assert codec.loads(store.get_record("pain_outcome", records.key(late)).body) == late  # type: ignore[union-attr]
    assert counts(take(store, [*story()[:4], late])) == {"read": 5, "unchanged": 5}  # told once


def test_a_correction_of_a_neighbour_sets_and_takes_away_flags(store: Store) -> None:
    _, subject, _, procedure, _ = story()
    take(store, story())
    assert not list(store.iter_flags())
    turned = [one | {"laterality": "right"} for one in subject["conditions"]]
    report = take(store, [again(subject, 2, conditions=turned)])
    assert (report.exit_code, flagged(report)) == (0, [(procedure["record_id"], "V7.side")])
    report = take(store, [again(subject, 3, conditions=subject["conditions"])])
    assert (report.counts["flagged"], list(store.iter_flags())) == (0, [])


def test_what_is_unusual_in_one_record_is_a_flag_too(store: Store) -> None:
    take(store, [made("study", {"actual_enrolment": 43}), made("subject")])
    assert [(flag.kind, flag.rule, flag.bound) for flag in store.iter_flags()] == [
        ("study", "W.enrolment", "planned_enrolment")
    ]


def test_what_a_server_has_is_kept_as_it_is(store: Store) -> None:
    """A pull judges nobody: no refusal, no quarantine, but flags; and whoever waited for what came is let in."""
    study, subject, enrolment, _, score = story()
    take(store, [score])
    wrong = made("procedure", {"targets.1.laterality": "right", "complications": ["wrong_site"]})
    report = Report("pull")
    admission = Admission(store, report, strict=False)
    admission.take(
        (one["kind"], records.key(one), one, codec.dumps(one), one["record_id"])
        for one in (enrolment, wrong, study, again(subject, 5))
    )
    admission.finish()
    assert (report.exit_code, report.counts["new"], store.waiting_count()) == (0, 5, 0)
    assert {flag.rule for flag in store.iter_flags()} == {"V7.side", "V4.side", "V15.event"}


def test_what_was_pulled_meanwhile_makes_a_waiting_version_old(store: Store) -> None:
    """Version 1 waits; a server has version 2, which is pulled; then version 3 comes: it need not wait for version 1,
    which is refused as old when its turn comes."""
    study, subject, enrolment, procedure, score = story()
    take(store, [score])
    second, third = again(score, 2, score=5), again(score, 3, score=6)
    admission = Admission(store, Report("pull"), strict=False)
    admission.take([(second["kind"], records.key(second), second, codec.dumps(second), "two")])
    admission.finish()
    report = take(store, [third, study, subject, enrolment, procedure])
    assert (rules(report), counts(report)["changed"], store.waiting_count()) == (["V12-older"], 1, 0)
    assert kept(store)["pain_outcome", score["record_id"]][0] == 3


# -- any order -----------------------------------------------------------------------------------------------------


def corpus() -> list[Record]:
    """A study, three persons of a trial, and for some records a second and third version."""
    found = [records.load(None, one) for one in synthetic.generate(3, 8, 0)]
    first = [one for one in found if one["version"] == 1]
    return found + [again(one, 2) for one in first[::7]] + [again(one, 3) for one in first[::14]]


CORPUS = corpus()


@given(st.randoms(use_true_random=False), st.sampled_from([2, 7, 1000]), st.integers(1, 3))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_ends_in_the_same_store(tmp_path_factory: Any, dice: Random, chunk: int, intakes: int) -> None:
    """However the records of a corpus are shuffled over chunks and intakes (each record's first version first, since
    that begins its history), the same records, versions and flags are kept, and nothing waits."""
    shuffled = CORPUS[:]
    dice.shuffle(shuffled)
    first: dict[str, int] = {}
    for place, one in enumerate(shuffled):
        begin = first.setdefault(one["record_id"], place)
        if one["version"] < shuffled[begin]["version"]:
            shuffled[begin], shuffled[place] = shuffled[place], shuffled[begin]
    with (
        pytest.MonkeyPatch.context() as patch,
        Store(f"sqlite:///{tmp_path_factory.mktemp('any')}/a.sqlite") as store,
        Store(f"sqlite:///{tmp_path_factory.mktemp('any')}/b.sqlite") as clean,
    ):
        take(clean, CORPUS)
        patch.setattr("adapter.admission.CHUNK", chunk)
        size = len(shuffled) // intakes + 1
        for start in range(0, len(shuffled), size):
            report = take(store, shuffled[start : start + size])
            assert not report.counts["refused"], [str(one) for one in report.issues]
        assert store.waiting_count() == 0
        assert kept(store) == kept(clean)
        for one in CORPUS:
            place = one["kind"], records.key(one)
            assert store.versions(*place) == clean.versions(*place)
        assert set(store.iter_flags()) == set(clean.iter_flags())


# -- doubles -------------------------------------------------------------------------------------------------------

TWIN = {"source_record_id": "another", "record_id": "6c7b5a43-90a1-5c1d-8f5e-0f4be2f1d001"}


def doubles(report: Report) -> list[tuple[str | None, str, str]]:
    return [(issue.record, issue.field, issue.rule) for issue in report.issues]


def test_one_score_entered_twice_is_kept_once(store: Store) -> None:
    """The same subject, procedure, target, instrument and time point under two keys of the source: one business key."""
    *parents, score = story()
    twin = made("pain_outcome", {**TWIN, "score": Decimal(4)})
    assert twin["business_key"] == score["business_key"]
    report = take(store, [*parents, score, twin])
    assert doubles(report) == [(twin["record_id"], "business_key", "V13-double")]
    assert score["record_id"] in str(report.issues[0].message)
    assert (report.counts["new"], report.counts["refused"]) == (5, 1)
    assert doubles(take(store, [twin])) == [(twin["record_id"], "business_key", "V13-double")], "in another file too"
    assert take(store, [score]).counts["unchanged"] == 1
    assert take(store, [again(score, score=Decimal(5))]).counts["changed"] == 1, "nobody is his own double"


def test_one_key_of_the_source_is_one_record(store: Store) -> None:
    *parents, score = story()
    other = made("pain_outcome", {"record_id": TWIN["record_id"], "business_key": "another"})
    report = take(store, [*parents, score, other])
    assert doubles(report) == [(other["record_id"], "source_record_id", "V13-double")]


def test_what_was_entered_in_error_holds_no_name(store: Store) -> None:
    """Taken back and entered anew: in two files, or in one, whatever their order."""
    *parents, score = story()
    twin = made("pain_outcome", TWIN)
    take(store, [*parents, score])
    report = take(store, [twin, again(score, record_status="entered_in_error")])
    assert (doubles(report), report.counts["new"], report.counts["changed"]) == ([], 1, 1)
    back = again(score, 3, record_status="corrected", supersedes_version=2)
    assert doubles(take(store, [back])) == [(score["record_id"], "business_key", "V13-double")]


def test_a_double_is_found_when_what_it_waited_for_has_come(store: Store) -> None:
    *parents, score = story()
    twin = made("pain_outcome", TWIN)
    assert take(store, [score, twin]).counts["waiting"] == 2
    report = take(store, parents)
    assert (len(doubles(report)), report.counts["new"], store.waiting_count()) == (1, 5, 0)


def test_what_a_server_has_twice_is_kept_twice(store: Store) -> None:
    report = Report("keep")
    admission = Admission(store, report, strict=False)
    some = [*story(), made("pain_outcome", TWIN)]
    admission.take((r["kind"], records.key(r), r, codec.dumps(r), codec.digest(r)) for r in some)
    admission.finish()
    assert (report.counts["new"], doubles(report)) == (6, [])
