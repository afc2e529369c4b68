"""Makes the golden files of `examples/` anew: `python -m tests.regenerate_examples [STORY ...]`. Read the diff after it.

Not on a continuous integration server: there the files are what the code is measured by.

A story of ours has `records.ndjson`, from which `bundle.R4.json` and `bundle.R5.json` are made. A story of another
writer (`foreign`) has the two Bundles, from which `records.R4.ndjson` and `refused.R4.ndjson` (and R5) are made.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from adapter import codec
from adapter.assembly import assemble
from adapter.fhir import bundle
from adapter.mill import Mill, Stranger
from adapter.records import intake

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
VERSIONS = ("R4", "R5")
STRANGER = Stranger("ward-7", "Europe/Vienna")


def stories() -> list[Path]:
    """The folders with records of ours."""
    return sorted(p.parent for p in EXAMPLES.glob("*/records.ndjson"))


def foreign_stories() -> list[Path]:
    """The folders with resources of another writer."""
    return sorted(p.parent for p in EXAMPLES.glob("*/bundle.R4.json") if not (p.parent / "records.ndjson").exists())


def records_of(story: Path) -> list[dict[str, Any]]:
    """The story's records as intake takes them. AssertionError naming line and rule when one is refused."""
    found = []
    for entry in intake.read(story / "records.ndjson"):
        assert entry.record is not None, [str(issue) for issue in entry.issues]
        found.append(entry.record)
    return found


def resources_of(file: Path) -> list[dict[str, Any]]:
    """The resources of a Bundle in a file, in their order."""
    return bundle.resources(codec.loads_wire(file.read_bytes()))


def golden(story: Path) -> dict[str, bytes]:
    """File name -> content, of everything that is made for a story of ours."""
    records = records_of(story)
    made = {}
    for version in VERSIONS:
        mill = Mill(assemble(), version)
        resources = [codec.loads_wire(data) for record in records for _, _, data in mill.resources(record)]
        made[f"bundle.{version}.json"] = codec.dumps_pretty(bundle.collection(resources))
    return made


def foreign_golden(story: Path) -> dict[str, bytes]:
    """File name -> content, of what is read from another writer's resources, and of what is refused."""
    made = {}
    for version in VERSIONS:
        mill = Mill(assemble(), version)
        taken = list(mill.records(resources_of(story / f"bundle.{version}.json"), STRANGER))
        records = [one.record for one in taken if one.record is not None]
        refused = [issue.as_dict() for one in taken for issue in one.issues]
        made[f"records.{version}.ndjson"] = b"".join(codec.dumps(r) + b"\n" for r in records)
        made[f"refused.{version}.ndjson"] = b"".join(codec.dumps(i) + b"\n" for i in refused)
    return made


def main(names: list[str]) -> None:
    if os.environ.get("CI"):
        sys.exit("the golden files are not made anew on a continuous integration server (CI is set)")
    for story, make in [(s, golden) for s in stories()] + [(s, foreign_golden) for s in foreign_stories()]:
        if names and story.name not in names:
            continue
        for name, content in make(story).items():
            file = story / name
            if not file.exists() or file.read_bytes() != content:
                file.write_bytes(content)
                print(f"changed: {story.name}/{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
