"""A server that validates every request takes what is pushed to it: the gate lets nothing through that HAPI refuses.

It gets our definitions first, and knows the profiles that our resources claim from them alone. The validating server
starts and answers slowly, so R5 has its turn only with HYDROFHIR_FULL_ORACLE=1; tests/oracle asks the same validator in
both versions.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter import sandbox
from adapter.derivation import bring_up_to_date
from adapter.report import Report
from tests.derived import kept
from tests.server.conftest import START_WITHIN, MakePlace, given_server, need_java
from tests.server.kit import Place, corpus, texts

pytestmark = pytest.mark.server
VALIDATED = ("R4", "R5") if os.environ.get("HYDROFHIR_FULL_ORACLE") == "1" else ("R4",)


@pytest.fixture(scope="module", params=VALIDATED)
def strict(request: pytest.FixtureRequest, sandbox_state: Path, places: MakePlace) -> Iterator[Place]:
    if given_server() is not None:
        pytest.skip("whether FHIR_SERVER validates is its own affair")
    need_java()
    running = sandbox.up(request.param, validate=True, wait=START_WITHIN, state=sandbox_state)
    yield places(running.version, running.base_url)
    sandbox.down(running.port, sandbox_state)


def test_the_server_does_validate(strict: Place) -> None:
    bad = {"resourceType": "Observation", "id": "no-status", "code": {"text": "no status"}}
    assert strict.ask("PUT", "Observation/no-status", bad).status_code == 422


def test_without_definitions_it_takes_no_claim(strict: Place) -> None:
    """The profiles are not known yet: this test comes before the next one."""
    (patient,) = [json.loads(data) for (kind, _), data in strict.parts(corpus(1, 81, 0)).items() if kind == "Patient"]
    answer = strict.ask("PUT", f"Patient/{patient['id']}", patient)
    assert answer.status_code == 422
    assert "StructureDefinition/subject" in answer.text


def test_it_takes_our_definitions(strict: Place) -> None:
    report = strict.publish()
    assert report.issues == []
    assert report.counts["sent"] == len(strict.assembly.definitions(strict.version))


def test_a_validating_server_takes_everything(strict: Place) -> None:
    records = corpus(1, 81, 1)
    store = strict.store("strict", records)
    bring_up_to_date(store, Report("derive"))
    everything = [*records, *kept(store)]
    report = strict.push(store)
    assert report.issues == []
    assert report.counts["sent"] == len(everything) > 2 * len(records), report.as_dict()
    assert strict.versions() == dict.fromkeys(strict.parts(everything), "1")
    _, got = strict.pull(strict.store("back"))
    assert texts(got) == texts(records)
