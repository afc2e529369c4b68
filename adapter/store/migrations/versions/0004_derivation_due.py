"""Which subjects have records that nothing was derived from yet; at first, all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "derivation_due",
        sa.Column("subject_key", sa.String, primary_key=True),
        sa.Column("mark", sa.String, nullable=False),
    )
    op.execute(
        "INSERT INTO derivation_due (subject_key, mark) SELECT DISTINCT subject_key, '' FROM record"
        " WHERE subject_key <> ''"
    )


def downgrade() -> None:
    """Version 0003 knows no derived measures: they go with all that is known of them, and can be derived again."""
    op.execute("DELETE FROM delivery WHERE record_seq IN (SELECT seq FROM record WHERE kind = 'derived_measure')")
    for table in ("record", "record_version", "dead_letter"):
        op.execute(f"DELETE FROM {table} WHERE kind = 'derived_measure'")  # noqa: S608 - names from the line above
    op.drop_table("derivation_due")
