"""How made-up pain goes: scores before and after the diagnostic injection, and after each treatment.

The means are chosen so that the pictures resemble the hypothesis of document 003 (both treatments help at
once, the effect of hydrodissection lasts); they are not data. It must not know records."""

from __future__ import annotations

from random import Random

ARMS = ("A1", "A2")  # interfascial hydrodissection, dry needling
REMAINING = {
    "A1": {"h1": 0.46, "w1": 0.50, "m1": 0.38, "m3": 0.31},
    "A2": {"h1": 0.58, "w1": 0.56, "m1": 0.63, "m3": 0.72},
    "registry": {"immediate": 0.45, "h1": 0.45, "w1": 0.52, "w4": 0.46, "m1": 0.45, "m3": 0.42, "m6": 0.45},
}
_BEFORE = (5, 6, 6, 7, 7, 7, 8, 8, 9)


def other_arm(arm: str) -> str:
    """The arm a person did not get."""
    return "A2" if arm == "A1" else "A1"


def screening(dice: Random, positive: bool) -> tuple[int, int]:
    """Scores before and one hour after the diagnostic injection; positive is a fall of at least 50 %."""
    before = dice.choice(_BEFORE)
    after = dice.randint(0, before // 2) if positive else dice.randint(before // 2 + 1, before)
    return before, after


def baseline(dice: Random, screened: int) -> int:
    """The score before treatment: a new one, near that of screening."""
    return min(10, max(4, screened + dice.choice((-1, -1, 0, 0, 0, 1))))


def temperament(dice: Random) -> float:
    """How much more or less of the pain stays with this person, as a share of the baseline."""
    return dice.gauss(0.0, 0.14)


def follow_up(dice: Random, before: int, arm: str, timepoint: str, personal: float) -> int:
    """A score after treatment on 0 to 10."""
    share = REMAINING[arm][timepoint] + personal + dice.gauss(0.0, 0.08)
    return min(10, max(0, round(before * share)))


def at_rest(dice: Random, moving: int) -> int:
    """The score at rest beside a score on movement."""
    return max(0, moving - dice.choice((1, 2, 2, 3)))


def relief(dice: Random, before: int, after: int) -> int:
    """Percent relief in the person's own words: in fives, mostly higher than the calculated one."""
    share = (before - after) / before + dice.gauss(0.06, 0.09)
    return min(100, max(0, 5 * round(20 * share)))


def response(before: int, after: int) -> str:
    """The word for a response right after the act."""
    if after == 0:
        return "complete"
    return "partial" if after < before else "none" if after == before else "worse"
