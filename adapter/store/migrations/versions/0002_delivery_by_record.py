"""The ledger has a row per record; what is known of its resources moves into `parts`."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEPT = ("record_seq", "target_id", "version", "record_hash", "mapping", "state", "attempts", "outcome")
_OTHERS = ("begun_at", "settled_at")
_CHUNK = 1_000


def upgrade() -> None:
    op.drop_index("delivery_record", "delivery")
    op.rename_table("delivery", "delivery_0001")
    new = op.create_table(
        "delivery",
        sa.Column("record_seq", sa.Integer, sa.ForeignKey("record.seq"), primary_key=True, autoincrement=False),
        sa.Column("target_id", sa.Integer, sa.ForeignKey("target.id"), primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("record_hash", sa.String, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("parts", sa.String, nullable=False),
        sa.Column("begun_at", sa.String, nullable=False),
        sa.Column("settled_at", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    old = sa.Table("delivery_0001", sa.MetaData(), autoload_with=connection)
    record = sa.Table("record", sa.MetaData(), autoload_with=connection)
    its = sa.and_(record.c.kind == old.c.kind, record.c.key == old.c.key)
    every = sa.select(old, record.c.seq.label("record_seq")).join(record, its)
    order = (old.c.target_id, record.c.seq, old.c.root.desc(), old.c.resource)
    row: dict[str, Any] | None = None
    parts: list[list[str]] = []
    rows: list[dict[str, Any]] = []

    def close() -> None:
        if row is not None:
            rows.append({**row, "parts": json.dumps(parts, separators=(",", ":"))})

    for found in connection.execute(every.order_by(*order)).mappings():
        place = {name: found[name] for name in ("record_seq", "target_id")}
        if row is None or place != {name: row[name] for name in place}:
            close()
            row, parts = {name: found[name] for name in (*_KEPT, *_OTHERS)}, []
            if not found["root"]:  # nothing stands for the record: it is offered again
                row.update(state="waiting", record_hash="")
            row["outcome"] = "" if row["state"] == "sent" else row["outcome"]
        parts.append([found["resource"], found["body_hash"], found["server_version"], found["outcome"]])
        if len(rows) >= _CHUNK:
            connection.execute(new.insert(), rows)
            rows.clear()
    close()
    if rows:
        connection.execute(new.insert(), rows)
    op.drop_table("delivery_0001")


def downgrade() -> None:
    """Each record's first resource stands for it again."""
    op.rename_table("delivery", "delivery_0002")
    old = op.create_table(
        "delivery",
        sa.Column("resource", sa.String, primary_key=True),
        sa.Column("target_id", sa.Integer, sa.ForeignKey("target.id"), primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("root", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("record_hash", sa.String, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("body_hash", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("server_version", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("begun_at", sa.String, nullable=False),
        sa.Column("settled_at", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    new = sa.Table("delivery_0002", sa.MetaData(), autoload_with=connection)
    record = sa.Table("record", sa.MetaData(), autoload_with=connection)
    every = sa.select(new, record.c.kind, record.c.key).join(record, record.c.seq == new.c.record_seq)
    shared = ("target_id", "kind", "key", "version", "record_hash", "mapping", "state", "attempts", *_OTHERS)
    rows: list[dict[str, Any]] = []
    for found in connection.execute(every).mappings():
        row = {name: found[name] for name in shared}
        for n, (resource, body_hash, server_version, outcome) in enumerate(json.loads(found["parts"])):
            said = {"body_hash": body_hash, "server_version": server_version, "outcome": outcome or found["outcome"]}
            rows.append({**row, **said, "resource": resource, "root": n == 0})
        if len(rows) >= _CHUNK:
            connection.execute(old.insert(), rows)
            rows.clear()
    if rows:
        connection.execute(old.insert(), rows)
    op.drop_table("delivery_0002")
    names = ["target_id", "kind", "key", "root", "state", "record_hash", "mapping", "attempts"]
    op.create_index("delivery_record", "delivery", names)
