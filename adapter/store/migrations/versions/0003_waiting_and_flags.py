"""Records that wait for others, and flags of those that are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "waiting",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("record_id", sa.String, nullable=False),
        sa.Column("subject_key", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("awaited_kind", sa.String, nullable=False),
        sa.Column("awaited_key", sa.String, nullable=False),
        sa.Column("run", sa.String, nullable=False),
        sa.Column("since_at", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("kind", "key", "version", name="waiting_version"),
    )
    op.create_index("waiting_awaited", "waiting", ["awaited_kind", "awaited_key", "seq"])
    op.create_index("waiting_run", "waiting", ["run", "seq"])
    op.create_table(
        "flag",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rule", sa.String, primary_key=True),
        sa.Column("field", sa.String, primary_key=True),
        sa.Column("bound", sa.String, primary_key=True),
        sa.Column("record_id", sa.String, nullable=False),
        sa.Column("subject_key", sa.String, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("found_at", sa.String, nullable=False),
    )
    op.create_index("flag_subject", "flag", ["subject_key"])


def downgrade() -> None:
    op.drop_table("flag")
    op.drop_table("waiting")
