"""Counts the cases that passed, at the end of a run."""

from __future__ import annotations

import re
from typing import Any

from tests.foreign.cases import CASES

_CASE = re.compile(r"test_foreign\.py::test_case\[(.*)-(R[45])\]\Z")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A case counts when it passed in each of its versions."""
    matches = [_CASE.search(report.nodeid) for report in terminalreporter.stats.get("passed", ())]
    passed = {match.groups() for match in matches if match}
    whole = [case for case in CASES if {(case.name, version) for version in case.versions} <= passed]
    read, alone = sum(not (c.refused or c.alone) for c in whole), sum(c.alone for c in whole)
    told = f"{len(whole)} of {len(CASES)} cases, {read} read, {len(whole) - read - alone} refused, {alone} left alone"
    terminalreporter.write_line(f"foreign: {told}")
