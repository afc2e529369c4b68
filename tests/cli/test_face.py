"""Every command teaches; whatever goes wrong is one line and an exit code, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from adapter.commands import face, hydrofhir
from adapter.errors import MappingProofError, TargetUnavailable, VersionMismatch
from tests.cli.conftest import Run


def commands(group: click.Group, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found.append((*before, name))
        if isinstance(command, click.Group):
            found += commands(command, (*before, name))
    return found


@pytest.mark.parametrize("words", commands(hydrofhir), ids=" ".join)
def test_help_explains_and_gives_an_example(run: Run, words: tuple[str, ...]) -> None:
    shown = run(*words, "--help")
    assert shown.exit_code == 0
    after = shown.stdout.partition("Example")[2]
    assert " ".join(("hydrofhir", *words)) in after
    assert len(shown.stdout.splitlines()) > 8


def test_commands_stand_in_the_order_of_the_work(run: Run) -> None:
    shown = run("--help").stdout
    assert shown.index("  check ") < shown.index("  map ") < shown.index("  push ") < shown.index("  demo ")


def test_usage_is_exit_code_2_on_standard_error(run: Run, home: Path) -> None:
    for arguments in (["map"], ["map", "missing.ndjson", "--fhir", "R3"], ["nonsense"], ["schema", "weather"]):
        found = run(*arguments)
        assert (found.exit_code, found.stdout) == (2, "")
        assert "Usage" in found.stderr


def test_an_input_file_that_is_not_there_is_named(run: Run) -> None:
    found = run("map", "missing.ndjson", "--fhir", "R4", "--out", "out.ndjson")
    assert found.exit_code == 2
    assert "missing.ndjson" in found.stderr
    assert not Path("out.ndjson").exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MappingProofError([("fields/subject.yaml", "line 3", "no such path")]), 2),
        (TargetUnavailable("target ward: no connection"), 3),
        (VersionMismatch("target ward: server speaks FHIR 5.0.0"), 4),
    ],
)
def test_errors_end_with_their_exit_code_and_as_json(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("adapter.assembly.assemble", fail)
    found = run("check", "--json")
    assert found.exit_code == code
    said = json.loads(found.stdout)
    assert said["exit_code"] == code
    assert said["error"]["kind"] == type(error).__name__
    assert str(error).splitlines()[0] in found.stderr
    assert "Traceback" not in found.stderr


def test_the_unexpected_is_short_and_shows_its_traceback_only_when_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("Jane Doe, born 1950")

    monkeypatch.setattr("adapter.assembly.assemble", fail)
    found = run("check")
    assert found.exit_code == 4
    assert "ZeroDivisionError" in found.stderr
    assert "Jane Doe" not in found.output
    assert "Traceback" not in found.output
    for arguments in (["check", "--debug"], ["--debug", "check"]):
        assert "Traceback" in run(*arguments).stderr


def test_ctrl_c_is_exit_code_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("adapter.assembly.assemble", interrupt)
    found = run("check", "--json")
    assert found.exit_code == face.INTERRUPTED
    assert "interrupted" in found.stderr
    assert json.loads(found.stdout)["exit_code"] == 3
