"""How a long journey is shown while it runs: progress on standard error, the first issues, the file of rejects.

On a terminal one line that is drawn anew (rich), elsewhere a plain line every few seconds. Knows reports, no journey.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from adapter import codec
from adapter.commands.face import say
from adapter.errors import Issue
from adapter.files import written
from adapter.report import Report

SHOWN = 20
PLAIN_EVERY = 5.0
DRAW_EVERY = 0.1
NAMES = {
    "read": "read", "refused": "refused", "flagged": "flagged", "expired": "given up",
    "mapped": "mapped", "new": "new", "changed": "changed",
    "offered": "offered", "sent": "sent", "no_change": "unchanged on the server", "rejected": "rejected",
    "waiting": "waiting", "records": "records", "resources": "resources", "incomplete": "incomplete",
    "unreadable": "unreadable", "unchanged": "unchanged", "foreign": "resources of other writers left out",
    "sent_resources": "resources sent", "derived": "derived", "undefined": "undefined",
    "derived_new": "of them new", "derived_changed": "amended", "derived_voided": "voided",
    "derived_left_out": "derived measures left out",
}  # fmt: skip


class Watch:
    """Shows counts as they grow; ``begin`` says of which journey, and which count's rate per second is told."""

    def __init__(self) -> None:
        self.label = self.rate_of = ""
        self.began = self.last = time.monotonic()
        self.live: Any = None
        self.task: Any = None
        self.every = DRAW_EVERY if sys.stderr.isatty() else PLAIN_EVERY

    def __enter__(self) -> Watch:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self.live = Progress(
                SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
                console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self.live.start()
            self.task = self.live.add_task("starting", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self.live is not None:
            self.live.stop()

    def begin(self, label: str, rate_of: str) -> None:
        """A journey starts."""
        self.label, self.rate_of, self.began = label, rate_of, time.monotonic()

    def tick(self, counts: Counter[str]) -> None:
        """Show these counts, unless that was done a moment ago."""
        now = time.monotonic()
        if now - self.last < self.every:
            return
        self.last = now
        text = f"{self.label}: {told(counts)}, {rate(counts[self.rate_of], now - self.began)}"
        if self.live is not None:
            self.live.update(self.task, description=text)
        else:
            click.echo(text, err=True)

    def tell(self, text: str) -> None:
        """A line for people, above the progress."""
        if self.live is not None:
            self.live.console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True)


@contextmanager
def watched(rejects: str | None = None) -> Iterator[Callable[[str, str], Report]]:
    """A maker of reports, from the journey's name and the count whose rate is told: counts, issues and flags are
    shown as they come; issues also go to the file ``rejects``."""
    shown = flagged = 0
    with ExitStack() as stack:
        file = stack.enter_context(written(rejects)) if rejects is not None else None
        watch = stack.enter_context(Watch())

        def on_issue(issue: Issue) -> None:
            nonlocal shown
            shown += 1
            if shown <= SHOWN:
                watch.tell(f"  {issue}")
            elif shown == SHOWN + 1:
                more = f"all of them are in {rejects}" if rejects else "--rejects FILE keeps all of them"
                watch.tell(f"  more issues are not shown; {more}")
            if file is not None:
                file.write(codec.dumps(issue.as_dict()) + b"\n")

        def on_flag(flag: Issue) -> None:
            nonlocal flagged
            flagged += 1
            if flagged <= SHOWN:
                watch.tell(f"  kept with a flag: {flag}")
            elif flagged == SHOWN + 1:
                watch.tell("  more flags are not shown; hydrofhir waiting --flags lists all of them")

        def journey(name: str, rate_of: str) -> Report:
            watch.begin(name, rate_of)
            return Report(name, on_issue=on_issue, on_flag=on_flag, tick=watch.tick)

        yield journey


def told(counts: Counter[str]) -> str:
    """Counts in words, those that are not zero."""
    return ", ".join(f"{counts[name]:,} {word}" for name, word in NAMES.items() if counts[name]) or "nothing"


def rate(count: int, seconds: float) -> str:
    """``1,234/s``."""
    return f"{count / seconds:,.0f}/s" if seconds > 0 else "-/s"


def conclude(report: Report, rate_of: str) -> None:
    """The last line of a journey."""
    speed = rate(report.counts[rate_of], report.seconds)
    say(f"{report.journey}: {told(report.counts)} in {report.seconds:.1f} s ({speed})")
    if report.unfinished:
        say(f"{report.journey}: not finished: {report.unfinished}")
