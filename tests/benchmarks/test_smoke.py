"""The benchmarks run: every part that needs no server, at sizes that prove nothing else."""

from pathlib import Path

from adapter import settings
from adapter.assembly import assemble
from adapter.exchange import connect
from adapter.mill import Mill
from adapter.store import Store
from tests.benchmarks import again, conversion
from tests.benchmarks.measure import Scale, machine, markdown
from tests.benchmarks.samples import corpus, write_lines

TINY = Scale(pairs=1, records=2)


def test_conversion_is_measured() -> None:
    figures = list(conversion.figures(TINY))
    assert {figure.part for figure in figures} == {"1", "2"}
    assert {figure.verdict for figure in figures} <= {"", "pass", "MISSED"}
    assert markdown(figures, machine()).count("\n| 1 |") == sum(figure.part == "1" for figure in figures)


def test_pushing_again_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "records.ndjson"
    write_lines(file, corpus(2, 5))
    target = settings.load(environ={"HYDROFHIR_STATE": str(tmp_path)}).resolve_target(str(tmp_path / "out"), "R4")
    store = Store(f"sqlite:///{tmp_path}/store.sqlite")
    writes, _ = again.figures(lambda: connect(target), Mill(assemble(), "R4"), store, file, 1)
    assert writes.figure == "0"
    assert writes.good
