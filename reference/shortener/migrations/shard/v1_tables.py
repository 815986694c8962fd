"""What a shard had when its history began. Databases from before that have it already, so nothing is made twice."""

from alembic import op

revision = "shard_1"
down_revision = None

STEPS = (
    # The lock under which servers of that time make the very same tables.
    "SELECT pg_advisory_xact_lock(7316921)",
    """CREATE TABLE IF NOT EXISTS links (
        code TEXT PRIMARY KEY,
        long_url TEXT NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        token_hash TEXT NOT NULL,
        owner TEXT NOT NULL,
        deleted_at DOUBLE PRECISION,
        moved INTEGER NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS links_owned ON links (owner, code) WHERE owner <> ''",
    "CREATE INDEX IF NOT EXISTS links_ended ON links (expires_at) WHERE token_hash <> ''",
    "CREATE INDEX IF NOT EXISTS links_moved ON links (code) WHERE moved = 1",
    "CREATE TABLE IF NOT EXISTS shard_epoch (only_row INTEGER PRIMARY KEY, epoch BIGINT NOT NULL)",
    "INSERT INTO shard_epoch (only_row, epoch) VALUES (1, 0) ON CONFLICT (only_row) DO NOTHING",
)


def upgrade() -> None:
    for step in STEPS:
        op.execute(step)
