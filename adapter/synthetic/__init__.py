"""Made-up records: a two-arm trial on the plan of document 003, and registry patients like those of 000 to
002.

For demonstrations, tests and measurements. Every record says `synthetic: true`, uses local study ids and
roles instead of names, and passes intake as it stands; numbers are plausible, and evidence of nothing.

    for record in generate(40, seed=1): ...

The same arguments give the same records on every machine: chance comes from `random.Random` seeded per
subject, time from a fixed calendar. Two seeds never share an id, so two corpora fit into one store.
Records stream subject by subject, parents before children. It must not know FHIR, mapping, the wire or
storage.

    generate ── study, trial (screening, visits, treatment), registry (stories, headache, muscles)
                    curves: how pain goes      person: ids, times, RecordMeta, scores
                    function, events, diary: what else is told of the same visits
    scores   ── many scores, quickly, for measurements
"""

from __future__ import annotations

from collections.abc import Iterator

from . import registry as registry_patients
from . import study, trial
from .person import Record
from .scores import scores

__all__ = ["generate", "scores"]


def generate(subjects: int, seed: int, registry: int | None = None) -> Iterator[Record]:
    """Stream the records of one study with `subjects` screened persons, then of `registry` patients.

    `registry` None means a quarter of `subjects`, and at least 5 once there are 10 subjects. Registry
    patients are in no study; ten show every story once. ValueError when a number is negative.
    """
    if registry is None:
        registry = max(subjects // 4, 5 if subjects >= 10 else 0)
    if min(subjects, seed, registry) < 0:
        raise ValueError("subjects, seed and registry must not be negative")
    return _stream(subjects, seed, registry)


def _stream(subjects: int, seed: int, registry: int) -> Iterator[Record]:
    yield study.record(seed, trial.randomised_so_far(seed, subjects))
    yield from trial.records(seed, subjects)
    yield from registry_patients.records(seed, registry)
