"""The installed wheel works outside the checkout: built, put into a fresh environment, run from another folder.

Third-party libraries are lent by the environment that runs the tests; the package itself comes from the wheel alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Installed:
    """A fresh environment with the wheel in it, and a folder to run its commands from."""

    wheel: Path
    environment: Path
    folder: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment, with nothing of ours in the variables around it."""
        foreign = {k: v for k, v in os.environ.items() if not k.startswith(("HYDROFHIR", "PYTHON", "COV"))}
        variables = {**foreign, "HOME": str(self.folder), "HYDROFHIR_STATE": str(self.folder / "state")}
        first = str(self.environment / "bin" / command[0])
        return subprocess.run(
            [first, *command[1:]],
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def _quiet(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    home = tmp_path_factory.mktemp("wheel")
    _quiet(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(home), str(CHECKOUT), cwd=home)
    (wheel,) = home.glob("*.whl")
    environment, folder = home / "environment", home / "elsewhere"
    folder.mkdir()
    _quiet(sys.executable, "-m", "venv", str(environment), cwd=home)
    python = environment / "bin" / "python"
    _quiet(str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel), cwd=home)
    (site,) = environment.glob("lib/python3*/site-packages")
    lent = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    # plain paths: .pth files over there (an editable install of the checkout) have no effect here
    (site / "zz_lent.pth").write_text("\n".join(lent) + "\n")
    return Installed(wheel, environment, folder)


@pytest.fixture(scope="module")
def run(installed: Installed) -> Callable[..., str]:
    """Run a command that must end well; its standard output."""

    def ran(*command: str) -> str:
        done = installed.run(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ran


def test_what_is_inside(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        inside = set(archive.namelist())
    data = {f"adapter/_data/mappings/{p.relative_to(CHECKOUT / 'mappings')}" for p in files(CHECKOUT / "mappings")}
    sandbox = CHECKOUT / "examples" / "hapi-sandbox"
    data |= {f"adapter/_data/hapi-sandbox/src/{p.relative_to(sandbox / 'src')}" for p in files(sandbox / "src")}
    data |= {"adapter/_data/hapi-sandbox/pom.xml"}
    code = {f"adapter/{p.relative_to(CHECKOUT / 'adapter')}" for p in files(CHECKOUT / "adapter")}
    assert data <= inside
    assert {name for name in inside if not name.startswith("hydrofhir-")} - data - code == {
        "adapter/_data/hapi-sandbox/README.md"
    }
    assert code <= inside


def files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]


def test_code_and_data_come_from_the_wheel(installed: Installed, run: Callable[..., str]) -> None:
    told = run(
        "python",
        "-c",
        "import adapter; from adapter import catalog; from adapter.sandbox.builder import sources;"
        " print(adapter.__file__, catalog.mappings_path(), sources(), sep='\\n')",
    )
    for place in told.splitlines():
        assert Path(place).is_relative_to(installed.environment), place
    assert run("hydrofhir", "--version").split()[-1] == installed.wheel.name.split("-")[1]


def test_the_mappings_are_proved(installed: Installed, run: Callable[..., str]) -> None:
    found = json.loads(run("hydrofhir", "check", "--json"))
    assert found["exit_code"] == 0
    assert Path(found["path"]).is_relative_to(installed.environment)
    assert set(found["versions"]) == {"R4", "R5"}


def test_records_go_out_and_come_back(installed: Installed, run: Callable[..., str]) -> None:
    run("hydrofhir", "generate", "--subjects", "2", "--seed", "3", "--out", "records.ndjson")
    run("hydrofhir", "map", "records.ndjson", "--fhir", "R5", "--out", "resources.ndjson")
    run("hydrofhir", "unmap", "resources.ndjson", "--fhir", "R5", "--out", "back.ndjson")
    out, back = ((installed.folder / n).read_text().splitlines() for n in ("records.ndjson", "back.ndjson"))
    assert len(out) > 10
    assert sorted(back) == sorted(out)


def test_a_store_is_made_with_its_migrations(installed: Installed, run: Callable[..., str]) -> None:
    run("hydrofhir", "generate", "--subjects", "1", "--registry", "0", "--out", "few.ndjson")
    pushed = json.loads(run("hydrofhir", "push", "few.ndjson", "--to", "./outbox", "--fhir", "R4", "--json"))
    derived = pushed["derive"]["counts"]["derived_new"]
    assert pushed["push"]["counts"]["sent"] == pushed["intake"]["counts"]["new"] + derived > derived > 0
    assert (installed.folder / "state" / "store.sqlite").is_file()
