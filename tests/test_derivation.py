"""The second pass: what follows from records is kept as records, keeps up with every change, and is made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter import codec, measures, pipeline, records
from adapter.assembly import assemble
from adapter.derivation import SOURCE, bring_up_to_date
from adapter.errors import RecordRefused
from adapter.mill import Mill, Stranger
from adapter.records.intake import Entry
from adapter.report import Report
from adapter.store import Due, Store
from tests.derived import derived_of, kept, whole_trial
from tests.measures.story import Record, Story
from tests.server.kit import corpus

STORY = Story("HD-0032", study=None)
Take = Callable[..., dict[str, int]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/s.sqlite") as made:
        yield made


@pytest.fixture
def take(store: Store) -> Take:
    """Takes records in and derives; what the derivation counted."""

    def work(*some: Record) -> dict[str, int]:
        put(store, *some)
        return derive(store)

    return work


def put(store: Store, *some: Record) -> None:
    report = pipeline.intake(store, (Entry(n, one) for n, one in enumerate(some, 1)), Report("intake"))
    assert not report.issues, [str(issue) for issue in report.issues]


def derive(store: Store) -> dict[str, int]:
    report = bring_up_to_date(store, Report("derive"))
    assert not report.issues, [str(issue) for issue in report.issues]
    return {name.removeprefix("derived_"): n for name, n in report.counts.items() if n and name.startswith("derived_")}


def session(version: int = 1, **changes: Any) -> Record:
    return STORY.procedure("P5", "2026-02-18T10:15:00+03:00", version=version, **changes)


def score(code: str, value: float | None, **changes: Any) -> Record:
    at = {"baseline": "2026-02-18T10:05:00+03:00", "w1": "2026-02-25T10:05:00+03:00", "m1": "2026-03-18T10:05:00+03:00"}
    return STORY.score("P5", code, at[code], value, **changes)


def retracted(one: Record) -> Record:
    """The next version of a record, which says that it was an error."""
    meta = {"version": one["version"] + 1, "supersedes_version": one["version"], "change_reason": "of another subject"}
    raw = {name: value for name, value in one.items() if name != "idempotency_key"}
    return records.load(one["kind"], raw | meta | {"record_status": "entered_in_error"})


def only(store: Store, formula: str, **wanted: Any) -> Record:
    (found,) = kept(store, formula=formula, **wanted)
    return found


def cited(one: Record) -> list[tuple[str, int]]:
    return [(each["kind"], each["version"]) for each in one["inputs"]]


ACT = [STORY.make("subject", "s", {}), session()]
BASE, MONTH = score("baseline", 7), score("m1", 2)


# --- what is kept ---


def test_a_value_says_what_it_is_of_and_what_it_rests_on(store: Store, take: Take) -> None:
    take(*ACT, BASE, MONTH)
    found = only(store, "pct_reduction")
    assert (found["value_number"], found["value_unit"], found["formula_version"]) == (Decimal("71.428571"), "%", "1")
    assert found["inputs"] == [
        {"kind": "pain_outcome", "record_id": one["record_id"], "version": 1} for one in (BASE, MONTH)
    ]
    assert (found["procedure_id"], found["timepoint_code"], found["scope"]) == ("P5", "m1", "procedure")
    assert (found["at"], found["baseline_timepoint"]) == (MONTH["assessed_at"], "baseline")
    assert (found["version"], found["record_status"], found["source_system"]) == (1, "final", SOURCE)
    assert (found["synthetic"], found["site_timezone"]) == (True, "Europe/Istanbul")
    elapsed = only(store, "elapsed", timepoint_code="m1")
    assert (elapsed["value_number"], elapsed["procedure_version"], elapsed["window"]) == (28, 1, "inside")
    assert "basis" not in elapsed
    assert only(store, "responder_50")["value_flag"] is True
    assert only(store, "onset")["value_time"] == MONTH["assessed_at"]
    chronic = kept(store, formula="chronic-3mo")
    assert {one["basis"][0]["kind"] for one in chronic} == {"subject"}
    assert {one["condition_id"] for one in chronic} == {each["condition_id"] for each in ACT[0]["conditions"]}
    dose = only(store, "dose_mg")
    assert (dose["administration"], dose["component_no"], dose["agent"]) == ("injectate", 1, "dextrose")


def test_nothing_is_made_twice(store: Store, take: Take) -> None:
    first = take(*ACT, BASE, MONTH)
    assert first.keys() == {"new"}
    assert store.due() == []
    assert take(*ACT, BASE, MONTH) == {}
    before = kept(store)
    pipeline.intake(store, iter(()), Report("intake"))
    for due in (["HD-0032"], None):  # derived again all the same, nothing differs
        mark_all(store)
        assert bring_up_to_date(store, Report("derive"), due).counts["derived_changed"] == 0
        assert kept(store) == before
        assert store.due() == []


def mark_all(store: Store) -> None:
    """As if records of every subject had changed."""
    from adapter.store.due import mark

    with store._db.writing() as connection:
        mark(store._db, connection, {one.subject for one in store.iter_records() if one.subject}, set())


def test_every_value_of_a_trial_has_a_place() -> None:
    """Number for number and reason for reason what the measures say, of generated subjects and of S01."""
    for some in (corpus(6, 5, 6), whole_trial()):
        by_subject: dict[str, list[Record]] = {}
        studies = [one for one in some if one["kind"] == "study"]
        for one in some:
            if one["kind"] != "study":
                by_subject.setdefault(one["subject_id"], []).append(one)
        said = [value for own in by_subject.values() for value in measures.derive(own, *studies)]
        wanted = sorted(
            (x.formula, str(x.subject_id), str(x.undefined or x.value), x.timepoint or "", x.scope or "") for x in said
        )
        found = []
        for one in derived_of(some):
            (value,) = (one[name] for name in ("value_number", "value_flag", "value_time", "undefined") if name in one)
            place = (one.get("timepoint_code", ""), one.get("scope", ""))
            found.append((one["formula"], one["subject_id"], str(value), *place))
        assert sorted(found) == wanted


def test_a_draft_makes_a_draft(store: Store, take: Take) -> None:
    take(*ACT, BASE, score("m1", 2, record_status="draft"))
    assert only(store, "pct_reduction")["record_status"] == "draft"
    take(score("m1", 2, version=2, record_status="final"))
    found = only(store, "pct_reduction")
    assert (found["version"], found["record_status"], cited(found)[1]) == (2, "amended", ("pain_outcome", 2))


def test_one_real_record_makes_all_of_a_subject_real(store: Store, take: Take) -> None:
    take(*ACT, BASE, {name: value for name, value in MONTH.items() if name != "synthetic"})
    assert not [one for one in kept(store) if "synthetic" in one]


# --- corrections (S09, V14) ---


def test_a_correction_gives_the_next_version(store: Store, take: Take) -> None:
    take(*ACT, BASE, MONTH)
    was = only(store, "pct_reduction")
    counts = take(score("m1", 7, version=2))
    now = only(store, "pct_reduction")
    assert (now["value_number"], now["version"], now["supersedes_version"], now["record_status"]) == (
        0,
        2,
        1,
        "amended",
    )
    assert now["record_id"] == was["record_id"]
    assert now["change_reason"]
    assert cited(now) == [("pain_outcome", 1), ("pain_outcome", 2)]
    assert (
        codec.loads(store.versions(records.DERIVED, (was["record_id"],))[0][1])["value_number"] == was["value_number"]
    )
    assert counts.keys() == {"changed"}
    untouched = [one for one in kept(store) if one["version"] == 1]
    assert not [one for one in untouched if MONTH["record_id"] in {each["record_id"] for each in one.get("inputs", ())}]


def test_a_retraction_takes_the_value_away(store: Store, take: Take) -> None:
    week = score("w1", 3)
    take(*ACT, BASE, week, MONTH)
    counts = take(retracted(week))
    now = only(store, "pct_reduction", timepoint_code="w1")
    assert (now["record_status"], now["undefined"], now["version"]) == ("entered_in_error", "input_retracted", 2)
    assert not {"value_number", "value_unit"} & now.keys()
    assert cited(now)[1] == ("pain_outcome", 2)
    assert only(store, "pct_reduction", timepoint_code="m1")["version"] == 1
    assert counts["voided"] >= 5
    assert take(retracted(week)) == {}


def test_what_is_retracted_from_the_start_takes_nothing_back(store: Store, take: Take) -> None:
    take(*ACT, BASE, retracted(score("w1", 3)))
    assert not kept(store, record_status="entered_in_error")


def test_a_retracted_session_voids_its_doses(store: Store, take: Take) -> None:
    act = session()
    take(ACT[0], act)
    take(retracted(act))
    assert {one["undefined"] for one in kept(store, formula="dose_mg")} == {"input_retracted"}
    assert {one["record_status"] for one in kept(store, formula="la_total_mg")} <= {"entered_in_error"}


def test_what_no_longer_follows_is_voided_and_comes_back(store: Store, take: Take) -> None:
    """A cancelled score is no error; what was derived from it has nothing to stand on until it counts again."""
    take(*ACT, BASE, MONTH)
    take(score("m1", 2, version=2, record_status="cancelled"))
    gone = only(store, "pct_reduction")
    assert (gone["record_status"], gone["undefined"]) == ("entered_in_error", "no_longer_derived")
    assert take() == {}
    take(score("m1", 3, version=3))
    back = only(store, "pct_reduction")
    assert (back["version"], back["record_status"], back["value_number"]) == (3, "amended", Decimal("57.142857"))
    assert "undefined" not in back


def test_a_late_baseline_gives_a_value(store: Store, take: Take) -> None:
    take(*ACT, MONTH)
    assert only(store, "pct_reduction")["undefined"] == "baseline_missing"
    take(BASE)
    found = only(store, "pct_reduction")
    assert (found["value_number"], found["version"], found["record_status"]) == (Decimal("71.428571"), 2, "amended")
    assert "undefined" not in found


def test_a_study_that_changes_its_windows_is_looked_at_again(store: Store, take: Take) -> None:
    some = whole_trial()
    take(*some)
    before = only(store, "elapsed", timepoint_code="w1", instrument="nrs_0_10")
    assert before["window"] == "inside"
    study = records.example("study")
    points = [
        {**row, "window_before": "P0D", "window_after": "P0D", "offset": "P9D"} if row["code"] == "w1" else row
        for row in study["timepoints"]
    ]
    next_ = {"version": 2, "supersedes_version": 1, "record_status": "amended", "change_reason": "protocol"}
    raw = {**{k: v for k, v in study.items() if k != "idempotency_key"}, **next_, "timepoints": points}
    take(records.load("study", raw))
    after = only(store, "elapsed", timepoint_code="w1", instrument="nrs_0_10")
    assert (after["window"], after["version"]) == ("outside", 2)


# --- who is due, and being broken off ---


def test_unchanged_records_make_nobody_due(store: Store, take: Take) -> None:
    take(*ACT, BASE)
    put(store, *ACT, BASE)
    assert store.due() == []
    put(store, MONTH)
    assert [one.subject for one in store.due()] == ["HD-0032"]


def test_what_comes_while_it_is_derived_is_not_forgotten(store: Store) -> None:
    put(store, *ACT, BASE)
    (seen,) = store.due()
    put(store, MONTH)
    store.putting().put_derived([], [seen])
    (still,) = store.due()
    assert still.mark != seen.mark
    store.putting().put_derived([], [Due("HD-0032", still.mark)])
    assert store.due() == []


def test_two_at_a_time_leave_one_version(store: Store) -> None:
    """The slower one's version 1 is refused and its mark stays: looked at again, nothing differs."""
    put(store, *ACT, BASE, MONTH)
    due = store.due()
    derive(store)
    mine = only(store, "pct_reduction")
    theirs = {**mine, "recorded_at": "2026-03-20T10:00:00+03:00"}
    body = codec.dumps(theirs)
    put(store, score("w1", 3))
    (again,) = store.due()
    store.putting().put_derived([(records.DERIVED, (mine["record_id"],), theirs, body, "other")], [*due, again])
    assert store.due() == [again]
    assert only(store, "pct_reduction", timepoint_code="m1") == mine


def test_broken_off_it_is_finished_the_next_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    some = corpus(5, 9, 3)
    put(store, *some)
    monkeypatch.setattr("adapter.derivation.SUBJECTS", 1)
    done: list[int] = []

    class Breaks(Report):
        def add(self, **counts: int) -> None:
            super().add(**counts)
            done.append(1)
            if len(done) == 400:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring_up_to_date(store, Breaks("derive"))
    assert kept(store)
    assert store.due()
    derive(store)
    assert store.due() == []
    told = [{n: v for n, v in one.items() if n != "recorded_at"} for one in kept(store)]
    whole = [{n: v for n, v in one.items() if n != "recorded_at"} for one in derived_of(some)]
    assert sorted(map(str, told)) == sorted(map(str, whole))


def test_only_the_subjects_asked_for(store: Store) -> None:
    put(store, *corpus(3, 9, 2))
    first, *rest = (one.subject for one in store.due())
    bring_up_to_date(store, Report("derive"), [first])
    assert [one.subject for one in store.due()] == rest
    assert {one["subject_id"] for one in kept(store)} == {first}


# --- never input ---


def test_intake_refuses_it_by_name() -> None:
    made = records.example(records.DERIVED)
    with pytest.raises(RecordRefused) as refused:
        records.load(None, made)
    (issue,) = refused.value.issues
    assert (issue.record, issue.field, issue.rule) == (made["record_id"], "kind", "derived_input")
    nameless = {name: value for name, value in made.items() if name != "record_id"}
    with pytest.raises(RecordRefused) as refused:
        records.load(None, nameless)
    assert refused.value.issues[0].record == made["record_id"]


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_what_another_installation_derived_is_refused(version: str) -> None:
    mill = Mill(assemble(), version)
    ours = mill.assembly.sid.encode()
    (data,) = (part[2] for part in mill.resources(records.example(records.DERIVED)))
    resource = codec.loads_wire(data.replace(ours, b"https://elsewhere.example/sid"))
    (taken,) = mill.records([resource], Stranger("elsewhere", "UTC"))
    assert taken.record is None
    assert [(issue.record, issue.rule) for issue in taken.issues] == [
        (f"Observation/{resource['id']}", "derived_input")
    ]


def test_what_a_partner_has_is_kept_and_ours_stays(store: Store, take: Take) -> None:
    """A pull keeps derived measures without judging them; of the same version with another time, ours stays."""
    from adapter.admission import Admission

    take(*ACT, BASE, MONTH)
    mine = only(store, "pct_reduction")

    def pulled(*some: Record) -> Report:
        report = Report("pull")
        admission = Admission(store, report, strict=False)
        bodies = [codec.dumps(one) for one in some]
        admission.take(
            (one["kind"], records.key(one), one, body, str(hash(body))) for one, body in zip(some, bodies, strict=True)
        )
        admission.finish()
        return report

    report = pulled({**mine, "recorded_at": "2026-03-20T10:00:00+03:00"})
    assert report.issues == []
    assert only(store, "pct_reduction") == mine
    meta = {"version": 2, "supersedes_version": 1, "record_status": "amended", "change_reason": "theirs"}
    report = pulled({**mine, **meta, "value_number": Decimal("3")})
    assert (report.issues, report.flags) == ([], [])
    assert only(store, "pct_reduction")["value_number"] == 3
    derive(store)
    again = only(store, "pct_reduction")
    assert (again["version"], again["value_number"]) == (3, mine["value_number"]), "what follows is what follows"
