"""The records we know: current version, earlier versions, and the rules of versions (V12).

A record comes as (kind, key, record, body, hash): the record is read for its RecordMeta only, the body is
kept as it is. Must not know what the fields mean, nor FHIR.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, tuple_, update

from ..errors import Issue
from .base import Database, now
from .tables import record as R
from .tables import record_version as V

KIND_ORDER = (
    *("study", "subject", "enrolment", "procedure", "pain_outcome", "function_outcome", "adverse_event"),
    *("headache_day", "headache_period"),
)
"""Order of the kinds within a subject, so that what others refer to comes first; unknown kinds come last."""

CHUNK = 1_000
Key = str | tuple[str, ...]
Put = tuple[str, Key, Mapping[str, Any], bytes, str]


def key_text(key: Key) -> str:
    """A record's key as one text: parts joined with ``|``, which is escaped inside a part.

    >>> key_text(("S1", "a|b"))
    'S1|a%7Cb'
    """
    if isinstance(key, str):
        return key
    text = "|".join(key)
    if "%" not in text and text.count("|") == len(key) - 1:
        return text
    return "|".join(part.replace("%", "%25").replace("|", "%7C") for part in key)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the store holds it; ``body`` is what was put. ``attempts``: failed deliveries so far
    (pending)."""

    seq: int
    kind: str
    key: str
    record_id: str
    subject: str
    version: int
    hash: str
    synthetic: bool
    body: bytes
    attempts: int = 0


@dataclass(slots=True)
class PutReport:
    """What became of the records put: counts, and an issue for each one refused (rules V12-*)."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[Issue] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.new + self.changed + self.unchanged + len(self.refused)


class Records:
    """Part of ``Store``: putting and reading records."""

    _db: Database

    def put_records(self, items: Iterable[Put], *, contiguous: bool = False, chunk: int = CHUNK) -> PutReport:
        """Keep records, chunk by chunk, each chunk whole or not at all.

        Same hash: unchanged. Higher version: replaces the current one, which goes to the history. Refused:
        the same version with other content (V12-conflict); a version below the current one (V12-older),
        unless it is a kept one whose successors follow in the same call (a file with its own history, put
        again); with ``contiguous`` also a version that leaves a gap (V12-gap).
        """
        report = PutReport()
        replays: dict[tuple[str, str], list[Issue]] = {}
        source = iter(items)
        while batch := list(islice(source, chunk)):
            places = [(item[0], key_text(item[1])) for item in batch]
            with self._db.reading() as connection:
                known = _known(connection, places)
            if [known.get(place, ("",))[0] for place in places] == [item[4] for item in batch]:
                report.unchanged += len(batch)
                if replays:
                    report.unchanged += sum(len(replays.pop(place, ())) for place in places)
                continue
            with self._db.writing() as connection:
                _Batch(connection, _known(connection, places), report, replays, contiguous).put(batch)
        report.refused.extend(issue for issues in replays.values() for issue in issues)
        return report

    def get_record(self, kind: str, key: Key) -> Stored | None:
        """The current version of one record."""
        with self._db.reading() as connection:
            row = connection.execute(stored().where(R.c.kind == kind, R.c.key == key_text(key))).first()
        return None if row is None else Stored(*row)

    def iter_records(self, kind: str | None = None, *, chunk: int = CHUNK) -> Iterator[Stored]:
        """All current records: studies first, then subject by subject, parents before children."""
        place = ("", -1, -1)
        while True:
            query = stored().where(_after(place)).order_by(R.c.subject_key, R.c.rank, R.c.seq).limit(chunk)
            if kind is not None:
                query = query.where(R.c.kind == kind)
            with self._db.reading() as connection:
                rows = connection.execute(query.add_columns(R.c.rank)).all()
            for row in rows:
                yield Stored(*row[:-1])
            if len(rows) < chunk:
                return
            place = (rows[-1].subject_key, rows[-1].rank, rows[-1].seq)

    def subject_records(self, subjects: Sequence[str]) -> list[Stored]:
        """All current records of these subjects (their subject_id), parents before children."""
        query = stored().where(R.c.subject_key.in_(subjects)).order_by(R.c.subject_key, R.c.rank, R.c.seq)
        with self._db.reading() as connection:
            return [Stored(*row) for row in connection.execute(query)]

    def versions(self, kind: str, key: Key) -> list[tuple[int, bytes]]:
        """The earlier versions of a record, oldest first, as (version, body)."""
        query = select(V.c.version, V.c.body).where(V.c.kind == kind, V.c.key == key_text(key)).order_by(V.c.version)
        with self._db.reading() as connection:
            return [(row.version, row.body) for row in connection.execute(query)]


class _Batch:
    """One chunk being put. ``known``: (hash, version) by (kind, key), kept up to date as the chunk is worked
    off."""

    def __init__(
        self,
        connection: Connection,
        known: dict[tuple[str, str], tuple[str, int]],
        report: PutReport,
        replays: dict[tuple[str, str], list[Issue]],
        contiguous: bool,
    ) -> None:
        self.connection, self.known, self.report = connection, known, report
        self.replays, self.contiguous, self.at = replays, contiguous, now()
        self.fresh: dict[tuple[str, str], dict[str, Any]] = {}
        self.moved: dict[tuple[str, str], dict[str, Any]] = {}

    def put(self, batch: Sequence[Put]) -> None:
        for kind, key, record, body, hash in batch:
            place = (kind, key_text(key))
            found = self.known.get(place)
            version = int(record.get("version", 1))
            if found is None:
                self.fresh[place] = self._row(place, record, version, body, hash)
                self.report.new += 1
            elif found[0] == hash:
                _unchanged(self.report, self.replays, place)
                continue
            elif version > found[1] and not (self.contiguous and version > found[1] + 1):
                self._flush(place)
                self.moved[place] = self._row(place, record, version, body, hash)
                self.report.changed += 1
            else:
                self._refuse(place, record, version, hash, found[1])
                continue
            self.known[place] = (hash, version)
        self._write()

    def _flush(self, place: tuple[str, str]) -> None:
        """A second version within the chunk: the first must be in the table before it can go to the
        history."""
        if place in self.fresh or place in self.moved:
            self._write()

    def _write(self) -> None:
        if self.fresh:
            self.connection.execute(insert(R), list(self.fresh.values()))
        if self.moved:
            columns = (V.c.kind, V.c.key, V.c.version, V.c.record_status, V.c.hash, V.c.put_at, V.c.body)
            current = select(*(R.c[column.name] for column in columns))
            one = current.where(R.c.kind == bindparam("k"), R.c.key == bindparam("q"))
            history = insert(V).from_select(columns, one)
            for kind, key in self.moved:
                self.connection.execute(history, {"k": kind, "q": key})
            change = update(R).where(R.c.kind == bindparam("k"), R.c.key == bindparam("q"))
            rows = [{**row, "k": row["kind"], "q": row["key"]} for row in self.moved.values()]
            names: dict[str, Any] = {name: bindparam(name) for name in next(iter(self.moved.values()))}
            self.connection.execute(change.values(names), rows)
        self.fresh, self.moved = {}, {}

    def _refuse(self, place: tuple[str, str], record: Mapping[str, Any], version: int, hash: str, current: int) -> None:
        name = str(record.get("record_id", "")) or place[1]
        if version == current:
            why = "the same version with other content"
            self.report.refused.append(Issue(name, "version", "V12-conflict", f"above {current}", message=why))
        elif version > current:
            why = "a version between is missing"
            self.report.refused.append(Issue(name, "version", "V12-gap", f"at most {current + 1}", message=why))
        else:
            self._write()
            query = select(V.c.hash).where(V.c.kind == place[0], V.c.key == place[1], V.c.version == version)
            kept = self.connection.execute(query).scalar_one_or_none()
            why = "an older version than the one kept"
            issue = Issue(name, "version", "V12-older", f"at least {current}", message=why)
            if kept == hash:
                self.replays.setdefault(place, []).append(issue)
            else:
                self.report.refused.append(issue)

    def _row(
        self, place: tuple[str, str], record: Mapping[str, Any], version: int, body: bytes, hash: str
    ) -> dict[str, Any]:
        kind = place[0]
        return {
            "kind": kind,
            "key": place[1],
            "record_id": str(record.get("record_id", "")),
            "subject_key": "" if kind == "study" else str(record.get("subject_id", "")),
            "rank": KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER),
            "version": version,
            "record_status": str(record.get("record_status", "")),
            "study": str(record.get("study_id", "")),
            "hash": hash,
            "synthetic": record.get("synthetic") is True,
            "put_at": self.at,
            "body": body,
        }


def _unchanged(report: PutReport, replays: dict[tuple[str, str], list[Issue]], place: tuple[str, str]) -> None:
    report.unchanged += 1
    if replays:
        report.unchanged += len(replays.pop(place, ()))


def _known(connection: Connection, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, int]]:
    """(hash, version) of those of these (kind, key) that are kept: one query per kind."""
    keys: dict[str, list[str]] = {}
    for kind, key in places:
        keys.setdefault(kind, []).append(key)
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for kind, wanted in keys.items():
        query = select(R.c.key, R.c.hash, R.c.version).where(R.c.kind == kind, R.c.key.in_(wanted))
        for key, hash, version in connection.execute(query).all():
            found[kind, key] = (hash, version)
    return found


def stored() -> Select[Any]:
    """The columns of ``Stored``, in its order."""
    return select(
        R.c.seq,
        R.c.kind,
        R.c.key,
        R.c.record_id,
        R.c.subject_key,
        R.c.version,
        R.c.hash,
        R.c.synthetic,
        R.c.body,
    )


def _after(place: tuple[str, int, int]) -> Any:
    return tuple_(R.c.subject_key, R.c.rank, R.c.seq) > place
