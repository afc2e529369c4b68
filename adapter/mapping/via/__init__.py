"""The named transforms: importing this package fills the registry. Each has its inverse beside it."""

from adapter.mapping.via import basics, codes, concepts, labels, quantities, refs, suspects, times
from adapter.mapping.via.base import REGISTRY, Env, Refuse, Via

__all__ = [
    "REGISTRY",
    "Env",
    "Refuse",
    "Via",
    "basics",
    "codes",
    "concepts",
    "labels",
    "quantities",
    "refs",
    "suspects",
    "times",
]
