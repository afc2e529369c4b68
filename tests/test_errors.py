"""Every error says skip, retry or stop, and what it says carries no values."""

from __future__ import annotations

import inspect

import pytest

from adapter import errors
from adapter.errors import HydrofhirError, Issue, RecordRefused, Retry, Skip, Stop

ALL = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, HydrofhirError)]
LEAVES = [c for c in ALL if c not in (HydrofhirError, errors.TargetError)]


@pytest.mark.parametrize("cls", LEAVES)
def test_each_error_has_one_behaviour_and_is_drawn(cls: type[HydrofhirError]) -> None:
    assert sum(issubclass(cls, behaviour) for behaviour in (Skip, Retry, Stop)) == 1
    assert errors.__doc__ is not None
    assert cls.__name__ in errors.__doc__


def test_exit_codes() -> None:
    assert errors.exit_code(errors.ConfigError("x")) == 2
    assert errors.exit_code(errors.MappingProofError([("f", "1", "r")])) == 2
    assert errors.exit_code(errors.TargetUnavailable("x", 503, after=2.0)) == 3
    assert errors.exit_code(errors.TargetAuth("x", 401)) == 4
    assert errors.exit_code(RecordRefused()) == 1


def test_issues_are_told_in_the_message() -> None:
    issue = Issue("r-1", "volume_ml", "range", "50", line=3, message="too much")
    assert issue.as_dict() == {
        "record": "r-1",
        "field": "volume_ml",
        "rule": "range",
        "limit": "50",
        "line": 3,
        "message": "too much",
    }
    assert Issue(None, "", "json").as_dict() == {"rule": "json"}
    refused = RecordRefused([issue] * 5)
    assert "line 3: r-1: volume_ml: range (limit 50): too much" in str(refused)
    assert "2 more" in str(refused)
    assert str(errors.MappingProofError([("a.yaml", "row 1", "no such path")])) == "a.yaml: row 1: no such path"
