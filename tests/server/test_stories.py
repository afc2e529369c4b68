"""Every story of `examples/`, step by step to a real server and back: what was kept comes back equal, and nothing else.

What is refused, or waits, does not hold up the rest of its step: each step is pushed before the next is taken in.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter import pipeline
from adapter.records import intake
from adapter.report import Report
from tests import stories
from tests.server.kit import Place, nothing_sent, texts

pytestmark = pytest.mark.server


@pytest.mark.parametrize("story", stories.stories(), ids=lambda story: story.name)
def test_a_story_goes_there_and_back(story: Path, place: Place) -> None:
    store = place.store("first")
    for state in stories.played(story):
        pipeline.intake(store, intake.read(state.file), Report("intake"))
        report = place.push(store)
        assert report.exit_code == 0, report.as_dict()
        assert set(place.there()) == set(place.parts(state.kept.values())), state.file.name
    kept = stories.played(story)[-1].kept.values()
    assert nothing_sent(place.push(store))
    report, back = place.pull(place.store("second"))
    assert report.issues == []
    assert texts(back) == texts(kept)
