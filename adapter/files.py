"""The journeys over files: records to resources (`map`) and back (`unmap`). No server, no lasting store.

In bounded memory: `map` works chunk by chunk, in one process or several (`processes`). `unmap` takes
resources in any order: it spills them to a temporary database, where graphs come together. Knows no command line.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from adapter import codec
from adapter.errors import CodecError, ConfigError, Issue, Skip, TransactionMismatch
from adapter.fhir import bundle as bundles
from adapter.gather import records_of
from adapter.mill import Mill, Stranger
from adapter.pipeline import Sink, keep
from adapter.records.intake import entry
from adapter.records.split import Piece, opened, pieces
from adapter.report import Report
from adapter.scope import subject_of
from adapter.store import Staged, Store

HERE = "file:"
"""The address under which the resources of a file are staged."""
DOCUMENT = 32 * 1024 * 1024
_LOCAL = "urn:uuid:"
_LOCAL_REFERENCE = re.compile(rb'"reference"\s*:\s*"urn:uuid:')


class Mapped(NamedTuple):
    """What became of a chunk of records: lines of resources and of explanations, counts, why some were refused."""

    out: bytes
    explain: bytes
    read: int
    mapped: int
    resources: int
    refused: tuple[tuple[Issue, ...], ...]


def map_chunk(mill: Mill, chunk: Iterable[Piece], bundle: bool, explain: bool) -> Mapped:
    """Records as resources, a record's together, root first; with ``bundle`` one collection Bundle a record."""
    out: list[bytes] = []
    notes: list[bytes] = []
    refused: list[tuple[Issue, ...]] = []
    read = mapped = resources = 0
    for piece in chunk:
        read += 1
        found = entry(piece)
        if found.record is None:
            refused.append(found.issues)
            continue
        try:
            parts = [data for _, _, data in mill.resources(found.record)]
        except Skip as error:
            own = getattr(error, "issues", None) or [Issue(found.record["record_id"], "", type(error).__name__)]
            refused.append(tuple(replace(issue, line=piece.line) for issue in own))
            continue
        mapped, resources = mapped + 1, resources + len(parts)
        if explain:
            notes.append(codec.dumps({"line": piece.line, **mill.explain(found.record)}))
        if bundle:
            parts = [codec.dumps(bundles.collection(codec.loads_wire(data) for data in parts))]
        out += parts
    return Mapped(_lines(out), _lines(notes), read, mapped, resources, tuple(refused))


def map_file(chunks: Iterable[Mapped], report: Report, out: BinaryIO, explain: BinaryIO | None = None) -> Report:
    """Write mapped chunks in their order. Counts: read, mapped, resources, refused."""
    for done in chunks:
        out.write(done.out)
        if explain is not None:
            explain.write(done.explain)
        for issues in done.refused:
            report.refuse(issues)
        report.add(read=done.read, mapped=done.mapped, resources=done.resources)
    return report.done()


def unmap_file(
    source: str | Path | BinaryIO,
    mill: Mill,
    report: Report,
    out: Sink,
    stranger: Stranger | None = None,
    most: int = DOCUMENT,
    derived: bool = False,
) -> Report:
    """Resources and Bundles in any order, as records to ``out``. ``most`` bounds one line or one document, in bytes.
    What was derived is left out, and counted, unless ``derived``.

    Counts: resources, records, refused (lines without a resource), incomplete, unreadable, foreign (left out).
    """
    with (
        tempfile.TemporaryDirectory(prefix="hydrofhir-") as folder,
        Store(f"sqlite:///{folder}/unmap.sqlite") as store,
        opened(source) as stream,
    ):
        store.stage(HERE, (one for one in _staged(stream, report, most) if one.type not in mill.of_versions))
        keep(None, records_of(store, mill, HERE, stranger, report), report, out, derived)
    return report.done()


def _staged(stream: BinaryIO, report: Report, most: int) -> Iterator[Staged]:
    for piece in documents(pieces(stream, most), most):
        found, issue = resources_in(piece)
        if issue is not None:
            report.refuse([issue])
        report.add(resources=len(found))
        for resource in found:
            updated = str((resource.get("meta") or {}).get("lastUpdated", ""))
            kind, rid = resource["resourceType"], resource["id"]
            yield Staged(kind, rid, subject_of(resource), updated, codec.dumps(resource))


def documents(lines: Iterable[Piece], most: int) -> Iterator[Piece]:
    """Lines as they are, unless together they are one JSON document (of at most ``most`` bytes) over several lines."""
    source = iter(lines)
    head = list(islice(source, 2))
    if len(head) < 2 or head[0].data[:1] != b"{" or head[1].data[:1] in (b"{", b"[", b""):
        yield from chain(head, source)
        return
    data = bytearray()
    for piece in chain(head, source):
        data += piece.data + b"\n"
        if piece.rule or len(data) > most:
            yield Piece(head[0].line, b"", piece.rule or "too_long", f"{most} bytes")
            return
    yield Piece(head[0].line, bytes(data))


def resources_in(piece: Piece) -> tuple[list[dict[str, Any]], Issue | None]:
    """The resources of one line or document, those of a Bundle one by one; and why something was left out."""
    if piece.rule:
        return [], Issue(None, "", piece.rule, piece.limit, piece.line)
    try:
        found = codec.loads_wire(piece.data)
    except CodecError as error:
        return [], Issue(None, "", error.rule, "", piece.line)
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        return [], Issue(None, "resourceType", "required", "a FHIR resource or Bundle", piece.line)
    if found["resourceType"] == "Bundle":
        try:
            inside = bundles.resources(found)
        except TransactionMismatch:
            return [], Issue(None, "Bundle.entry", "type", "a list of objects", piece.line)
        if _LOCAL_REFERENCE.search(piece.data) or any("id" not in resource for resource in inside):
            _name_locals(found)
    else:
        inside = [found]
    good = [r for r in inside if isinstance(r.get("resourceType"), str) and isinstance(r.get("id"), str)]
    if len(good) == len(inside):
        return good, None
    return good, Issue(None, "id", "required", "every resource has resourceType and id", piece.line)


def _name_locals(bundle: dict[str, Any]) -> None:
    """Inside a Bundle resources may refer to each other by fullUrl (urn:uuid): give them ids, and write Type/id."""
    names: dict[str, str] = {}
    for one in bundle.get("entry", ()):
        resource, url = one.get("resource"), one.get("fullUrl")
        if isinstance(resource, dict) and isinstance(url, str) and url.startswith(_LOCAL):
            rid = resource.setdefault("id", url.removeprefix(_LOCAL))
            names[url] = f"{resource.get('resourceType')}/{rid}"
    for reference in _references(bundle):
        reference["reference"] = names.get(reference["reference"], reference["reference"])


def _references(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


def _lines(parts: list[bytes]) -> bytes:
    return b"\n".join(parts) + b"\n" if parts else b""


@contextmanager
def written(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write, or standard output for ``-``. The file appears whole at the end, or not at all.

    New files are readable by their owner only: they hold patient data. ConfigError when it cannot be made.
    """
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    place = Path(os.path.realpath(path))
    whole = place.is_file() or not place.exists()  # a pipe or a device is written as it comes
    aside = place.with_name(f".{place.name}.{os.getpid()}.part") if whole else place
    try:
        stream = open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")  # noqa: SIM115
    except OSError as error:
        raise ConfigError(f"output file {path}: {error.strerror}") from None
    try:
        with stream:
            yield stream
        if whole:
            if place.is_file():
                os.chmod(aside, place.stat().st_mode & 0o777)
            os.replace(aside, place)
    except BaseException:
        if whole:
            with suppress(OSError):
                aside.unlink()
        raise
