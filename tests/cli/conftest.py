"""An installation of its own for every test: state, settings and namespace; commands run inside this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter import codec, synthetic
from adapter.assembly import DEMO_NAMESPACE
from adapter.commands import hydrofhir

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, with no settings of anybody."""
    for name in ("HYDROFHIR_CONFIG", "HYDROFHIR_STORE", "HYDROFHIR_HOST", "HYDROFHIR_PORT", "FHIR_SERVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HYDROFHIR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HYDROFHIR_NAMESPACE", str(DEMO_NAMESPACE))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run() -> Run:
    """``run("map", "in.ndjson", ..., stdin=b"")``: exit_code, stdout, stderr; an exception would be a traceback."""

    def call(*arguments: str | Path, stdin: bytes | None = None) -> Result:
        found = CliRunner().invoke(hydrofhir, [str(one) for one in arguments], input=stdin, prog_name="hydrofhir")
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found

    return call


@dataclass(frozen=True)
class Corpus:
    """Synthetic records as a file: 5 persons in a trial, 2 registry patients."""

    path: Path
    lines: list[str]


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    path = tmp_path_factory.mktemp("corpus") / "records.ndjson"
    lines = [codec.dumps(record).decode() for record in synthetic.generate(5, 1, 2)]
    path.write_text("\n".join(lines) + "\n")
    return Corpus(path, lines)


@pytest.fixture
def corpus(_made: Corpus, home: Path) -> Corpus:
    """The corpus, in the current folder."""
    path = home / "records.ndjson"
    path.write_bytes(_made.path.read_bytes())
    return Corpus(path, _made.lines)


def rows(path: Path | str) -> list[Any]:
    """The objects of an NDJSON file."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]
