"""The names that a record must not share with another: its business key, and its key in the source."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CHUNK = 1_000
NAMES = ("business_key", "source")


def upgrade() -> None:
    for name in NAMES:
        op.add_column("record", sa.Column(name, sa.String, nullable=False, server_default=""))
    record = sa.table("record", *(sa.column(name) for name in ("seq", "body", *NAMES)))
    connection = op.get_bind()
    last = 0
    while rows := connection.execute(
        sa.select(record.c.seq, record.c.body).where(record.c.seq > last).order_by(record.c.seq).limit(CHUNK)
    ).all():
        for row in rows:
            body = json.loads(bytes(row.body))
            pair = [body[name] for name in ("source_system", "source_record_id") if name in body]
            names = {"business_key": str(body.get("business_key", "")), "source": "|".join(pair)}
            connection.execute(sa.update(record).where(record.c.seq == row.seq).values(names))
        last = rows[-1].seq
    op.create_index("record_business_key", "record", ["business_key"])
    op.create_index("record_source", "record", ["source"])


def downgrade() -> None:
    for name in NAMES:
        op.drop_index(f"record_{name}", "record")
        op.drop_column("record", name)
