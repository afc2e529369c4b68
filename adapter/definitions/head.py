"""What every definition begins with. Version and publisher are the same for all of them."""

from __future__ import annotations

import re
from typing import Any

from adapter.catalog import BASE

Json = dict[str, Any]
RELEASE = "0.1.0"
"""Of the definitions, as the files of `mappings/terminology` say it of theirs."""


def head(kind: str, name: str, title: str, text: str) -> Json:
    """The first elements of a definition: address, computable name, title and description."""
    computable = "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))
    return {
        "resourceType": kind,
        "id": name,
        "url": f"{BASE}/{kind}/{name}",
        "version": RELEASE,
        "name": computable,
        "title": title,
        "status": "active",
        "experimental": False,
        "publisher": "hydrofhir",
        "description": text,
    }
