"""The tables of the store, as SQLAlchemy sees them; the migrations make them (a test compares the two).

``record`` holds the current version of every record, ``record_version`` the earlier ones. ``delivery`` is the
one ledger (decisions 22): a row per target and record, because a record's resources are sent in one transaction
and so share their state; what is known of each resource stands in ``parts``. Texts are times in UTC (ISO 8601)
where the name ends in ``_at``. Portable SQL only: SQLite and PostgreSQL.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

record = Table(
    "record",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("key", String, nullable=False),
    Column("record_id", String, nullable=False),
    Column("subject_key", String, nullable=False),  # "" for what belongs to no subject: sorts first
    Column("rank", Integer, nullable=False),  # order of the kinds within a subject
    Column("version", Integer, nullable=False),
    Column("record_status", String, nullable=False),
    Column("study", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("synthetic", Boolean, nullable=False),
    Column("put_at", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("business_key", String, nullable=False, server_default=""),
    Column("source", String, nullable=False, server_default=""),  # source_system|source_record_id
    UniqueConstraint("kind", "key", name="record_key"),
    Index("record_order", "subject_key", "rank", "seq", "kind", "key", "hash"),  # covers the "unchanged" decision
    Index("record_record_id", "record_id"),
    Index("record_business_key", "business_key"),
    Index("record_source", "source"),
)

record_version = Table(
    "record_version",
    metadata,
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("record_status", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("put_at", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

target = Table(
    "target",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("address", String, nullable=False, unique=True),
)

delivery = Table(
    "delivery",
    metadata,
    Column("record_seq", Integer, ForeignKey("record.seq"), primary_key=True, autoincrement=False),  # rows of a
    # bundle lie side by side; and it comes before target_id, or SQLite joins by that alone
    Column("target_id", Integer, ForeignKey("target.id"), primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),  # of the record
    Column("record_hash", String, nullable=False),
    Column("mapping", String, nullable=False),  # hash of mapping and policy
    Column("state", String, nullable=False),  # sending, sent, rejected, waiting
    Column("attempts", Integer, nullable=False),
    Column("outcome", String, nullable=False),  # the rule broken, "" where none
    Column("parts", String, nullable=False),  # JSON, see ledger.Receipt
    Column("begun_at", String, nullable=False),
    Column("settled_at", String, nullable=False),
    sqlite_with_rowid=False,
)

cursor = Table(
    "cursor",
    metadata,
    Column("target_id", Integer, ForeignKey("target.id"), primary_key=True, autoincrement=False),
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
    Column("moved_at", String, nullable=False),
)

staging = Table(
    "staging",
    metadata,
    Column("target_id", Integer, ForeignKey("target.id"), primary_key=True, autoincrement=False),
    Column("type", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("subject", String, nullable=False),  # reference of the subject (Patient/x), "" for none
    Column("last_updated", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("staging_subject", "target_id", "subject", "type", "id"),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("target_id", Integer, ForeignKey("target.id"), primary_key=True, autoincrement=False),
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("record_id", String, nullable=False),
    Column("stage", String, nullable=False),  # where it failed: map, gate, send, unmap
    Column("field", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("message", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_at", String, nullable=False),
)

waiting = Table(  # records held back until what they refer to has come, see waiting.py
    "waiting",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("key", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("record_id", String, nullable=False),
    Column("subject_key", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("field", String, nullable=False),
    Column("message", String, nullable=False),
    Column("awaited_kind", String, nullable=False),
    Column("awaited_key", String, nullable=False),
    Column("run", String, nullable=False),  # the intake that offered it last
    Column("since_at", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("kind", "key", "version", name="waiting_version"),
    Index("waiting_awaited", "awaited_kind", "awaited_key", "seq"),
    Index("waiting_run", "run", "seq"),
)

derivation_due = Table(  # subjects whose records have changed since what follows from them was derived, see due.py
    "derivation_due",
    metadata,
    Column("subject_key", String, primary_key=True),
    Column("mark", String, nullable=False),  # another one with every change
)

flag = Table(  # what the rules between records say of a version that is kept
    "flag",
    metadata,
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("rule", String, primary_key=True),
    Column("field", String, primary_key=True),
    Column("bound", String, primary_key=True),
    Column("record_id", String, nullable=False),
    Column("subject_key", String, nullable=False),
    Column("message", String, nullable=False),
    Column("found_at", String, nullable=False),
    Index("flag_subject", "subject_key"),
)
