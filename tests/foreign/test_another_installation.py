"""What another installation of this software wrote, under its own identifiers and ids, is read: nothing is ambiguous, and
all that was observed and done comes back. Only names in its own name space are not ours to read.
"""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest

from adapter import codec, records, synthetic
from adapter.assembly import assemble
from adapter.mill import Mill, Stranger
from adapter.records.absent import fields_of
from adapter.records.meta import RecordSchema

THEIRS = fields_of(RecordSchema).keys() - {"kind"}
KEYS = {"subject_id", "study_id", "procedure_id", "anchor_procedure_id", "indication", "condition_id", "ae_id", "days"}
KEYS |= {"coexists_with", "evidence_id", "immediate_response_evidence", "site_id", "operator_id", "assessor_id"}
KEYS |= {"randomisation_no", "course_id", "treatment_alias", "unit_id", "target_no"}
"""What is named in a name space of their own, or by the ids of their server."""


def content(value: Any) -> Any:
    """A record without what its writer, and not the clinic, has given it."""
    if isinstance(value, dict):
        return {k: content(v) for k, v in value.items() if k not in THEIRS and k not in KEYS}
    return [content(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_every_record_of_another_installation_is_read(version: str) -> None:
    other = assemble(namespace=uuid.UUID(int=5), sid="https://elsewhere.example/sid")
    pools: dict[str, list[Any]] = {}
    sent = list(synthetic.generate(8, 3, 10))
    for record in sent:
        resources = [codec.loads_wire(data) for _, _, data in Mill(other, version).resources(record)]
        pools.setdefault(record.get("subject_id", ""), []).extend(resources)
    back: list[str] = []
    mill = Mill(assemble(), version)
    for pool in pools.values():
        random.Random(7).shuffle(pool)
        for taken in mill.records(pool, Stranger("elsewhere")):
            assert taken.record is not None, [str(issue) for issue in taken.issues]
            records.load(None, taken.record)
            back.append(_told(taken.record))
    assert sorted(back) == sorted(map(_told, sent))


def _told(record: dict[str, Any]) -> str:
    plain = content(record)
    for name in (
        "conditions",
        "prior_therapies",
        "allergies",
        "eligibility_results",
        "injectate_components",
        "targets",
    ):
        if name in plain:  # numbered by nobody for us
            plain[name] = sorted(codec.dumps(one).decode() for one in plain[name])
    return codec.dumps(plain).decode()
