"""The picture of the pain curves: drawn, honest about gaps, the same bytes each time, and never silent on synthetic."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from adapter.errors import ConfigError
from adapter.picture import POINTS, REGISTRY, pain_curves
from adapter.synthetic import generate

SVG = "{http://www.w3.org/2000/svg}"
A1 = "Interfascial hydrodissection, dextrose 10 %"
A2 = "Dry needling, gluteus maximus"


def _text(path):
    return path.read_text(encoding="utf-8")


def _lines(path, gid):
    """The stretches of one curve in an SVG: how many points each joins."""
    root = ElementTree.parse(path).getroot()
    group = next(element for element in root.iter(f"{SVG}g") if element.get("id") == gid)
    drawn = group.find(f"{SVG}path")
    steps = drawn.get("d").replace("\n", " ").split("M")[1:] if drawn is not None else []
    return [1 + step.count("L") for step in steps]


def _score(code, score, *, subject="S-1", version=1, status="final", anchor="P1", **more):
    record = {
        "kind": "pain_outcome",
        "record_id": f"{subject}-{anchor}-{code}",
        "version": version,
        "record_status": status,
        "subject_id": subject,
        "anchor_procedure_id": anchor,
        "target_no": 1,
        "timepoint_code": code,
        "instrument": "nrs_0_10",
        "pain_context": "movement",
        "score_status": "collected" if score is not None else "not_done",
    }
    if score is not None:
        record["score"] = Decimal(score)
    return record | more


def test_png_of_a_corpus(tmp_path):
    path = tmp_path / "curves.png"
    counts = pain_curves(generate(40, seed=1), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 50_000
    assert list(counts.curves) == [A1, A2, REGISTRY]
    assert counts.scores[A1]["baseline"] == counts.curves[A1] >= 10
    assert counts.scores[A1]["m3"] < counts.scores[A1]["baseline"]
    assert counts.not_done > 5
    assert counts.left_out == 0


def test_svg_is_well_formed_labelled_and_repeatable(tmp_path):
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    pain_curves(generate(20, seed=1), first)
    pain_curves(generate(20, seed=1), second)
    assert first.read_bytes() == second.read_bytes()
    ElementTree.parse(first)
    text = _text(first)
    assert "synthetic data" in text
    for label in (A1, A2, REGISTRY, "NRS", *POINTS.values()):
        assert label in text
    assert "<dc:date>" not in text


def test_a_missed_score_is_a_gap(tmp_path):
    path = tmp_path / "gap.svg"
    records = [_score("baseline", 7), _score("h1", 3), _score("w1", None), _score("m1", 4), _score("m3", 5)]
    counts = pain_curves(records, path)
    assert _lines(path, "curve-0-0") == [2, 2]
    assert counts.scores == {REGISTRY: {"baseline": 1, "h1": 1, "w1": 0, "m1": 1, "m3": 1}}
    assert counts.not_done == 1
    whole = tmp_path / "whole.svg"
    pain_curves([*records, _score("w1", 3, version=2)], whole)
    assert _lines(whole, "curve-0-0") == [5], "the newest version counts"


def test_retracted_scores_and_other_contexts_are_not_drawn(tmp_path):
    records = [
        _score("baseline", 7),
        _score("h1", 3),
        _score("h1", 3, version=2, status="entered_in_error"),
        _score("w1", 9, pain_context="rest", record_id="rest"),
        _score("m1", 90, instrument="vas_0_100_mm", record_id="vas"),
    ]
    counts = pain_curves(records, tmp_path / "x.svg")
    assert sum(counts.scores[REGISTRY].values()) == 1


def test_scores_around_a_diagnostic_injection_are_not_follow_up(tmp_path):
    act = {"kind": "procedure", "subject_id": "S-1", "record_status": "final"}
    records = [
        act | {"procedure_id": "P1", "purpose": "diagnostic"},
        act | {"procedure_id": "P2", "purpose": "therapeutic"},
        _score("h1", 2, anchor="P1"),
        _score("baseline", 7, anchor="P2"),
        _score("h1", 4, anchor="P2"),
    ]
    counts = pain_curves(records, tmp_path / "x.svg")
    assert counts.curves == {REGISTRY: 1}
    assert counts.scores[REGISTRY]["h1"] == 1


def test_the_arm_is_the_one_assigned_and_persons_without_one_are_counted(tmp_path):
    arm = {"arm_id": "B", "arm_label": "Arm with a name"}
    study = {"kind": "study", "study_id": "X1", "title": "T", "arms": [arm]}
    enrolment = {"kind": "enrolment", "study_id": "X1", "subject_id": "S-1", "record_status": "final"}
    records = [
        study,
        enrolment | {"assigned_arm": "B", "actual_arm": "C"},
        _score("baseline", 7, study_id="X1"),
        _score("baseline", 6, study_id="X1", subject="S-2"),
    ]
    counts = pain_curves(records, tmp_path / "x.svg")
    assert counts.curves == {"Arm with a name": 1}
    assert counts.left_out == 1


def test_real_data_is_not_called_synthetic_and_a_mixture_says_so(tmp_path):
    real, made = _score("baseline", 7), _score("h1", 3, synthetic=True)
    pain_curves([real], tmp_path / "real.svg")
    pain_curves([real, made], tmp_path / "both.svg")
    assert "synthetic" not in _text(tmp_path / "real.svg")
    assert "partly synthetic data" in _text(tmp_path / "both.svg")


def test_nothing_to_draw_is_said(tmp_path):
    counts = pain_curves([], tmp_path / "none.svg")
    assert counts.curves == {}
    assert "No NRS scores on movement" in _text(tmp_path / "none.svg")


def test_a_file_that_cannot_be_written_stops(tmp_path):
    with pytest.raises(ConfigError, match=r"\.png or \.svg"):
        pain_curves([], tmp_path / "curves.gif")
    with pytest.raises(ConfigError, match="cannot write"):
        pain_curves([], tmp_path / "nowhere" / "curves.png")
