"""What a journey has done, in counts and issues: for people, for `--json`, for the service.

Issues are handed on as they come and only the first are kept, so that a report never grows with the input.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import Issue

KEPT = 50


@dataclass
class Report:
    """Counts by name (``read``, ``refused``, ``sent`` ...), the first issues and flags, seconds taken.

    An issue is why something was not done; a flag is what there is to say of a record that was kept. ``on_issue`` and
    ``on_flag`` see every one; ``tick`` is called with the counts so far, for progress.
    """

    journey: str
    counts: Counter[str] = field(default_factory=Counter)
    issues: list[Issue] = field(default_factory=list)
    flags: list[Issue] = field(default_factory=list)
    on_issue: Callable[[Issue], None] | None = None
    on_flag: Callable[[Issue], None] | None = None
    tick: Callable[[Counter[str]], None] | None = None
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    unfinished: str = ""

    def refuse(self, issues: Iterable[Issue], name: str = "refused", records: int = 1) -> None:
        """Count a refused record and keep why."""
        self.counts[name] += records
        for issue in issues:
            self.counts["issues"] += 1
            if len(self.issues) < KEPT:
                self.issues.append(issue)
            if self.on_issue is not None:
                self.on_issue(issue)

    def flag(self, flags: Iterable[Issue]) -> None:
        """Count a record that was kept with flags, and keep them."""
        self.counts["flagged"] += 1
        for flag in flags:
            if len(self.flags) < KEPT:
                self.flags.append(flag)
            if self.on_flag is not None:
                self.on_flag(flag)

    def add(self, **counts: int) -> None:
        for name, number in counts.items():
            self.counts[name] += number
        if self.tick is not None:
            self.tick(self.counts)

    def done(self) -> Report:
        self.seconds = time.monotonic() - self.started
        return self

    @property
    def exit_code(self) -> int:
        """0 all done; 1 some refused or given up; 3 not finished: something waits (decisions 26)."""
        if self.unfinished or self.counts["waiting"] or self.counts["incomplete"]:
            return 3
        refused = ("refused", "rejected", "unreadable", "expired")
        return 1 if any(self.counts[name] for name in refused) else 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "journey": self.journey,
            "counts": {k: v for k, v in self.counts.items() if v},
            "seconds": round(self.seconds, 3),
            "issues": [i.as_dict() for i in self.issues],
            **({"flags": [i.as_dict() for i in self.flags]} if self.flags else {}),
            **({"unfinished": self.unfinished} if self.unfinished else {}),
        }
