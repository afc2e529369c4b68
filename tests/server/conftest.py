"""One real server per FHIR release for the whole session, and a name space of its own for whoever asks.

The sandbox is started here and stopped at the end; with FHIR_SERVER=<base URL> that server is used instead (its release
decides which tests run), everything is written under random ids and identifier systems, and deleted again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from adapter import sandbox
from tests.server.kit import TIMEOUT, Place
from tests.server.witness import Witness

VERSIONS = ("R4", "R5")
START_WITHIN = 400  # seconds: two JVMs on a busy machine
HOW = (
    "a real server is needed: install Java 17 and Maven (Debian: apt-get install openjdk-17-jdk-headless maven), "
    "or name a server of your own: FHIR_SERVER=http://host/fhir"
)
MakePlace = Callable[..., Place]


def given_server() -> str | None:
    return os.environ.get("FHIR_SERVER", "").rstrip("/") or None


def need_java() -> None:
    """Skip without Java and Maven; in CI that is a failure."""
    missing = sandbox.missing_tools()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{', '.join(missing)} not found; {HOW}", pytrace=False)
    if missing:
        pytest.skip(f"{', '.join(missing)} not found; {HOW}")


@pytest.fixture(scope="session")
def sandbox_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of this session's sandboxes: nobody else's server is found, or stopped."""
    folder = tmp_path_factory.mktemp("sandbox-state")
    yield folder
    sandbox.down(None, folder)


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest, sandbox_state: Path) -> dict[str, str]:
    """Base address by FHIR release, of the releases that this session's tests ask for."""
    given = given_server()
    if given is not None:
        answer = requests.get(f"{given}/metadata", params={"_elements": "fhirVersion"}, timeout=TIMEOUT)
        answer.raise_for_status()
        release = {"4.0": "R4", "5.0": "R5"}.get(str(answer.json().get("fhirVersion"))[:3])
        assert release is not None, "FHIR_SERVER speaks neither R4 nor R5"
        return {release: given}
    need_java()
    asked = [getattr(item, "callspec", None) for item in request.session.items]
    named = {spec.params["version"] for spec in asked if spec is not None and "version" in spec.params}
    wanted = sorted(named & {"R4", "R5"})  # tests of other rooms have a "version" of their own
    sandbox.build()
    with ThreadPoolExecutor() as pool:  # neither start keeps two cores busy
        started = [pool.submit(sandbox.up, v, wait=START_WITHIN, state=sandbox_state) for v in wanted]
        return {one.result().version: one.result().base_url for one in started}


@pytest.fixture(scope="session", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def server(servers: dict[str, str], version: str) -> str:
    """The base address of this release's server."""
    if version not in servers:
        pytest.skip(f"FHIR_SERVER speaks {', '.join(servers)}")
    return servers[version]


@pytest.fixture(scope="session")
def private(servers: dict[str, str]) -> bool:
    """Is the server ours alone?"""
    return given_server() is None


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakePlace]:
    """Maker of name spaces. A server that is not ours alone is left as it was found, as far as it lets us."""
    made: list[Place] = []

    def make(version: str, base: str) -> Place:
        made.append(Place(version, base, tmp_path_factory.mktemp("place")))
        return made[-1]

    yield make
    for place in made:
        left = place.clean() if given_server() is not None else []
        if left:
            names = ", ".join("/".join(one) for one in left)
            print(f"\n{place.base} would not delete: {names}", file=sys.stderr)
        place.close()


@pytest.fixture
def place(places: MakePlace, version: str, server: str) -> Place:
    """A name space for one test."""
    return places(version, server)


@pytest.fixture(scope="session")
def witnesses() -> Iterator[Callable[[str], Witness]]:
    with ExitStack() as stack:
        yield lambda upstream: stack.enter_context(Witness(upstream))


@pytest.fixture(scope="session")
def witness(witnesses: Callable[[str], Witness], server: str) -> Witness:
    """A proxy in front of this release's server."""
    return witnesses(server)


@pytest.fixture(scope="session")
def small(private: bool) -> bool:
    """Work with little: a server of others has better things to do."""
    return not private
