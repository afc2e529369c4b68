"""Putting records, version by version (V12): what is new, what has changed, what is refused.

A record comes as (kind, key, record, body, hash): the record is read for its RecordMeta only, the body is kept as it
is. Must not know what the fields mean.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from ..errors import Issue
from .base import Database, now
from .due import Due, mark, settle
from .tables import record as R
from .tables import record_version as V

DERIVED = "derived_measure"
"""The kind of what follows from a subject's other records."""
KIND_ORDER = (
    *("study", "subject", "enrolment", "procedure", "pain_outcome", "function_outcome", "adverse_event"),
    *("headache_day", "headache_period", DERIVED),
)
"""Order of the kinds within a subject, so that what others refer to comes first; unknown kinds come last."""
TOGETHER = 5_000
"""Keys in one query; SQLite takes 32,766."""

Key = str | tuple[str, ...]
Place = tuple[str, str]
"""Kind, and key as one text."""

Put = tuple[str, Key, Mapping[str, Any], bytes, str]


def rank(kind: str) -> int:
    """Place of a kind in ``KIND_ORDER``; unknown ones come last."""
    return KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER)


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


class Putting:
    """Records being put, chunk by chunk. ``done`` ends it: what it gives is the report of all chunks."""

    def __init__(self, db: Database, contiguous: bool = False) -> None:
        self._db, self._contiguous = db, contiguous
        self._report = PutReport()
        self._replays: dict[Place, list[Issue]] = {}

    def unchanged(self, batch: Sequence[Put]) -> bool:
        """Whether all of these are kept as they are; then they are counted, and there is nothing to put."""
        places = [(item[0], key_text(item[1])) for item in batch]
        known = self.known(places)
        if [known.get(place, ("",))[0] for place in places] != [item[4] for item in batch]:
            return False
        self._report.unchanged += len(batch)
        if self._replays:
            self._report.unchanged += sum(len(self._replays.pop(place, ())) for place in places)
        return True

    def known(self, places: Iterable[Place]) -> dict[Place, tuple[str, int]]:
        """(hash, version) of those of these (kind, key text) that are kept."""
        with self._db.reading() as connection:
            return known_of(connection, places)

    def put(self, batch: Sequence[Put]) -> None:
        """Keep these, all or none of them; see ``Records.put_records``. Their subjects are due from then on."""
        with self._db.writing() as connection:
            done = self._put(connection, batch)
            mark(self._db, connection, done.subjects, done.studies)

    def put_derived(self, batch: Sequence[Put], due: Sequence[Due]) -> None:
        """Keep what was derived for these subjects, which are due no longer; a subject of which something is refused
        stays due: another process was quicker."""
        with self._db.writing() as connection:
            done = self._put(connection, batch)
            settle(connection, [one for one in due if one.subject not in done.losers])

    def _put(self, connection: Connection, batch: Sequence[Put]) -> "_Batch":
        known = known_of(connection, [(item[0], key_text(item[1])) for item in batch])
        done = _Batch(connection, known, self._report, self._replays, self._contiguous)
        done.put(batch)
        return done

    def done(self) -> PutReport:
        """The end: older versions whose successors have not come are refused now."""
        self._report.refused.extend(issue for issues in self._replays.values() for issue in issues)
        self._replays.clear()
        return self._report


class _Batch:
    """One chunk being put. ``known``: (hash, version) by (kind, key), kept up to date as the chunk is worked
    off."""

    def __init__(
        self,
        connection: Connection,
        known: dict[Place, tuple[str, int]],
        report: PutReport,
        replays: dict[Place, list[Issue]],
        contiguous: bool,
    ) -> None:
        self.connection, self.known, self.report = connection, known, report
        self.replays, self.contiguous, self.at = replays, contiguous, now()
        self.fresh: dict[Place, dict[str, Any]] = {}
        self.moved: dict[Place, dict[str, Any]] = {}
        self.subjects: set[str] = set()
        self.studies: set[str] = set()
        self.losers: set[str] = set()

    def put(self, batch: Sequence[Put]) -> None:
        for kind, key, record, body, hash in batch:
            place = (kind, key_text(key))
            found = self.known.get(place)
            if found is not None and found[0] == hash:  # its fields are not even read
                _unchanged(self.report, self.replays, place)
                continue
            version = int(record.get("version", 1))
            if found is None:
                self.fresh[place] = self._row(place, record, version, body, hash)
                self.report.new += 1
            elif version > found[1] and not (self.contiguous and version > found[1] + 1):
                self._flush(place)
                self.moved[place] = self._row(place, record, version, body, hash)
                self.report.changed += 1
            else:
                self._refuse(place, record, version, hash, found[1])
                continue
            self.known[place] = (hash, version)
            self.subjects.add(str(record.get("subject_id", "")))
            if kind == "study":
                self.studies.add(str(record.get("study_id", "")))
        self._write()

    def _flush(self, place: Place) -> None:
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

    def _refuse(self, place: Place, record: Mapping[str, Any], version: int, hash: str, current: int) -> None:
        name = str(record.get("record_id", "")) or place[1]
        self.losers.add(str(record.get("subject_id", "")))
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

    def _row(self, place: Place, record: Mapping[str, Any], version: int, body: bytes, hash: str) -> dict[str, Any]:
        kind = place[0]
        return {
            "kind": kind,
            "key": place[1],
            "record_id": str(record.get("record_id", "")),
            "subject_key": "" if kind == "study" else str(record.get("subject_id", "")),
            "rank": rank(kind),
            "version": version,
            "record_status": str(record.get("record_status", "")),
            "study": str(record.get("study_id", "")),
            "hash": hash,
            "synthetic": record.get("synthetic") is True,
            "put_at": self.at,
            "body": body,
            **dict(names_of(record)),
        }


def names_of(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(Column, value) of the names that no other record of the kind may have: business key, and key in the source."""
    yield "business_key", str(record.get("business_key", ""))
    yield "source", f"{record['source_system']}|{record['source_record_id']}" if "source_record_id" in record else ""


def _unchanged(report: PutReport, replays: dict[Place, list[Issue]], place: Place) -> None:
    report.unchanged += 1
    if replays:
        report.unchanged += len(replays.pop(place, ()))


def known_of(connection: Connection, places: Iterable[Place]) -> dict[Place, tuple[str, int]]:
    """(hash, version) of those of these (kind, key) that are kept: one query per kind and ``TOGETHER`` keys."""
    keys: dict[str, list[str]] = {}
    for kind, key in places:
        keys.setdefault(kind, []).append(key)
    found: dict[Place, tuple[str, int]] = {}
    for kind, wanted in keys.items():
        for start in range(0, len(wanted), TOGETHER):
            some = {"kind": kind, "keys": wanted[start : start + TOGETHER]}
            for key, hash, version in connection.execute(_KNOWN, some).all():
                found[kind, key] = (hash, version)
    return found


_KNOWN = select(R.c.key, R.c.hash, R.c.version).where(
    R.c.kind == bindparam("kind"), R.c.key.in_(bindparam("keys", expanding=True))
)
"""Built once: a query built anew looks at each of its keys, which takes as long as asking the database."""
