"""What our resources mean, as FHIR resources: code systems, value sets, concept maps, extensions, profiles, questions.

Made from the mappings that the resources are made from, for one FHIR version, when somebody asks; nothing but the words
is written by hand. Must not know the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapter import catalog as catalogs
from adapter.definitions.head import Json
from adapter.definitions.presence import Presence
from adapter.definitions.questionnaire import questionnaires
from adapter.definitions.structures import structures
from adapter.definitions.terminology import terminology
from adapter.mapping import FieldInfo, Mapper

__all__ = ["Json", "definitions"]


def definitions(
    catalog: catalogs.Catalog,
    mappers: Mapping[str, Mapper],
    fields: Callable[[str], Mapping[str, FieldInfo]],
    version: str,
) -> list[Json]:
    """All definitions in ``version``, each after those it builds on. ``mappers`` are of this version, by kind;
    ``fields(kind)`` are the fields of its records."""
    presence = {kind: Presence(mapper, fields(kind)) for kind, mapper in mappers.items()}
    return [
        *terminology(catalogs.terminology(catalog), version),
        *structures(catalog, mappers, presence),
        *questionnaires(mappers, presence),
    ]
