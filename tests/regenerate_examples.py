"""Makes the golden files of `examples/` anew: `python -m tests.regenerate_examples [STORY ...]`. Read the diff after it.

Not on a continuous integration server: there the files are what the code is measured by.

From the records of a story of ours are made `bundle.R4.json`, `bundle.R5.json` (the resources of each record that is kept
in the end, in its current version), `derived.ndjson` and, where the intake had something to say, `refused.ndjson`. A
story of another writer (`foreign`) has the two Bundles, from which `records.R4.ndjson` and `refused.R4.ndjson` (and R5) are made.
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
from tests import stories
from tests.stories import VERSIONS, lines

EXAMPLES = stories.EXAMPLES
STRANGER = Stranger("ward-7", "Europe/Vienna")


def resources_of(file: Path) -> list[dict[str, Any]]:
    """The resources of a Bundle in a file, in their order."""
    return bundle.resources(codec.loads_wire(file.read_bytes()))


def golden(story: Path) -> dict[str, bytes]:
    """File name -> content, of everything that is made for a story of ours."""
    last = stories.played(story)[-1]
    made = {f"bundle.{v}.json": codec.dumps_pretty(bundle.collection(last.resources(v))) for v in VERSIONS}
    made |= {"derived.ndjson": last.derived, "refused.ndjson": stories.refused(story)}
    return {name: content for name, content in made.items() if content}


def foreign_golden(story: Path) -> dict[str, bytes]:
    """File name -> content, of what is read from another writer's resources, and of what is refused."""
    made = {}
    for version in VERSIONS:
        mill = Mill(assemble(), version)
        taken = list(mill.records(resources_of(story / f"bundle.{version}.json"), STRANGER))
        made[f"records.{version}.ndjson"] = lines(one.record for one in taken if one.record is not None)
        made[f"refused.{version}.ndjson"] = lines(issue.as_dict() for one in taken for issue in one.issues)
    return made


def main(names: list[str]) -> None:
    if os.environ.get("CI"):
        sys.exit("the golden files are not made anew on a continuous integration server (CI is set)")
    ours, others = stories.stories(EXAMPLES), stories.foreign_stories(EXAMPLES)
    for story, make in [(s, golden) for s in ours] + [(s, foreign_golden) for s in others]:
        if names and story.name not in names:
            continue
        for name, content in make(story).items():
            file = story / name
            if not file.exists() or file.read_bytes() != content:
                file.write_bytes(content)
                print(f"changed: {story.name}/{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
