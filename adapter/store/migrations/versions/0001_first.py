"""The first schema: records with their versions, the ledger, cursors, staging, dead letters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "setting",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.create_table(
        "record",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("record_id", sa.String, nullable=False),
        sa.Column("subject_key", sa.String, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("record_status", sa.String, nullable=False),
        sa.Column("study", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("synthetic", sa.Boolean, nullable=False),
        sa.Column("put_at", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("kind", "key", name="record_key"),
    )
    op.create_table(
        "record_version",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("record_status", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("put_at", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "target",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("address", sa.String, nullable=False, unique=True),
    )
    op.create_table(
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
    op.create_table(
        "cursor",
        sa.Column("target_id", sa.Integer, sa.ForeignKey("target.id"), primary_key=True, autoincrement=False),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
        sa.Column("moved_at", sa.String, nullable=False),
    )
    op.create_table(
        "staging",
        sa.Column("target_id", sa.Integer, sa.ForeignKey("target.id"), primary_key=True, autoincrement=False),
        sa.Column("type", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("last_updated", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "dead_letter",
        sa.Column("target_id", sa.Integer, sa.ForeignKey("target.id"), primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("record_id", sa.String, nullable=False),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_at", sa.String, nullable=False),
    )
    op.create_index("record_order", "record", ["subject_key", "rank", "seq", "kind", "key", "hash"])
    op.create_index("record_record_id", "record", ["record_id"])
    op.create_index(
        "delivery_record",
        "delivery",
        ["target_id", "kind", "key", "root", "state", "record_hash", "mapping", "attempts"],
    )
    op.create_index("staging_subject", "staging", ["target_id", "subject", "type", "id"])


def downgrade() -> None:
    for name in (
        "dead_letter",
        "staging",
        "cursor",
        "delivery",
        "target",
        "record_version",
        "record",
        "setting",
    ):
        op.drop_table(name)
