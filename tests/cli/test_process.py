"""The command as a process of its own: exit codes, what goes where, signals, a reader that leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Corpus

COMMAND = [sys.executable, "-m", "adapter.cli"]


def call(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *map(str, arguments)], input=stdin, capture_output=True, check=False, timeout=60)


def test_there_and_back_through_pipes(corpus: Corpus) -> None:
    there = call("map", "-", "--fhir", "R5", stdin=corpus.path.read_bytes() + b"broken\n")
    assert there.returncode == 1
    assert f"line {len(corpus.lines) + 1}: ".encode() in there.stderr
    assert all(json.loads(line)["resourceType"] for line in there.stdout.splitlines())
    back = call("unmap", "-", "--fhir", "R5", stdin=there.stdout)
    assert back.returncode == 0
    assert sorted(back.stdout.decode().splitlines()) == sorted(corpus.lines)
    assert b"Traceback" not in there.stderr + back.stderr


def test_exit_codes(corpus: Corpus) -> None:
    assert call("--version").returncode == 0
    assert call("map", "nothing.ndjson", "--fhir", "R4").returncode == 2
    json_only = call("generate", "--subjects", "1", "--out", "few.ndjson", "--json")
    assert json_only.returncode == 0
    assert json.loads(json_only.stdout)["counts"]["records"] == len(Path("few.ndjson").read_text().splitlines())
    full = call("generate", "--subjects", "500", "--out", "/dev/full")
    assert full.returncode == 4
    assert b"No space left" in full.stderr
    assert b"Traceback" not in full.stderr


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_a_message_and_leaves_nothing_half_written(home: Path, sign: int) -> None:
    process = subprocess.Popen(
        [*COMMAND, "generate", "--subjects", "1000000", "--out", "big.ndjson"], stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    until(lambda: any(home.glob(".big.ndjson.*.part")))
    os.killpg(process.pid, sign)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 3
    assert b"interrupted" in said
    assert b"Traceback" not in said
    assert list(home.glob("*big*")) == list(home.glob(".big*")) == []


def test_ctrl_c_while_processes_are_mapping(home: Path, corpus: Corpus) -> None:
    many = home / "many.ndjson"
    many.write_text(corpus.path.read_text() * 200)
    process = subprocess.Popen(
        [*COMMAND, "map", many, "--fhir", "R4", "--jobs", "2", "--out", "out.ndjson"], stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    until(lambda: any(one.stat().st_size > 0 for one in home.glob(".out.ndjson.*.part")))
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 3
    assert b"Traceback" not in said
    assert b"interrupted" in said
    assert not Path("out.ndjson").exists()
    until(lambda: not alive(process.pid))


def test_a_reader_that_leaves_is_no_error_text(home: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "generate", "--subjects", "3000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["kind"] == "study"
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(20) == 3
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said


def until(holds: object, seconds: float = 30) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(group: int) -> bool:
    """Is any process of this group left?"""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
