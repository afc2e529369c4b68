"""Peak memory of map, of push into a folder and of pull from it: it must not grow with the number of records.

Every measurement is a process of its own (``python -m tests.benchmarks.memory JOURNEY FOLDER``), since the
peak is that of a whole process.
"""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from adapter import codec, pipeline, settings, synthetic
from adapter.assembly import DEMO_NAMESPACE, assemble
from adapter.exchange import connect
from adapter.files import map_file
from adapter.mill import Mill
from adapter.processes import Plan, mapped
from adapter.records.intake import read
from adapter.records.split import opened, pieces
from adapter.report import Report
from adapter.store import Store
from tests.benchmarks.measure import Figure, Scale
from tests.benchmarks.samples import with_parents, write_lines

VERSION = "R4"
MOST = 0.20


def figures(scale: Scale) -> Iterator[Figure]:
    """Part 5."""
    with tempfile.TemporaryDirectory(prefix="hydrofhir-bench-") as folder:
        sizes = [place(Path(folder), n) for n in scale.memory]
        for journey in JOURNEYS:
            small, large = (peak(journey, size) for size in sizes)
            more = (large - small) / small
            yield Figure(
                "5",
                f"{journey}, {VERSION}: peak memory at {scale.memory[1]:,} pain outcomes "
                f"(baseline: at {scale.memory[0]:,})",
                f"{large / 1024:,.0f} MB",
                f"{small / 1024:,.0f} MB",
                f"{more:+.0%}",
                f"< {MOST:+.0%}",
                more < MOST,
            )


def place(folder: Path, n: int) -> Path:
    """A folder with ``n`` scores as records.ndjson, and the records that they refer to."""
    made = folder / str(n)
    made.mkdir()
    write_lines(made / "records.ndjson", with_parents(synthetic.scores(n, 1)))
    return made


def peak(journey: str, folder: Path) -> int:
    """The peak memory of one journey in a process of its own, in kB."""
    command = [sys.executable, "-m", "tests.benchmarks.memory", journey, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{journey} failed: {done.stderr[-2000:]}")
    return int(done.stdout.split()[-1])


def map_(folder: Path) -> Report:
    plan = Plan(VERSION, DEMO_NAMESPACE, assemble().sid)
    with opened(folder / "records.ndjson") as stream, (folder / "mapped.ndjson").open("wb") as out:
        return map_file(mapped(pieces(stream), plan, 1), Report("map"), out)


def push(folder: Path) -> Report:
    with Store(f"sqlite:///{folder}/push.sqlite") as store:
        report = pipeline.intake(store, read(folder / "records.ndjson"), Report("intake"))
        return pipeline.push(store, mill(), partner(folder), report)


def pull(folder: Path) -> Report:
    out = io.BytesIO()

    def sink(record: dict[str, object]) -> None:
        out.seek(0)
        out.write(codec.dumps(record))

    with Store(f"sqlite:///{folder}/pull.sqlite") as store:
        return pipeline.pull(store, mill(), partner(folder), Report("pull"), out=sink)


def mill() -> Mill:
    return Mill(assemble(), VERSION)


def partner(folder: Path) -> object:
    target = settings.load(environ={"HYDROFHIR_STATE": str(folder)}).resolve_target(str(folder / "out"), VERSION)
    return connect(target)


JOURNEYS: dict[str, Callable[[Path], Report]] = {"map": map_, "push to a folder": push, "pull from a folder": pull}


def main(journey: str, folder: str) -> None:
    """Run one journey and print the peak of this process in kB."""
    report = JOURNEYS[journey](Path(folder))
    expected = sum(1 for _ in (Path(folder) / "records.ndjson").open("rb"))
    done = report.counts["mapped"] + report.counts["sent"] + report.counts["records"]
    if report.exit_code or done != expected:
        raise AssertionError(f"{done} of {expected}: {report.as_dict()}")
    print(own_peak())


def own_peak() -> int:
    """The peak memory of this process in kB. Linux counts into ru_maxrss what the process that started this one had,
    but not into VmHWM."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")))
    unit = 1 if sys.platform != "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


if __name__ == "__main__":
    main(*sys.argv[1:])
