"""What the store had when its history began. Databases from before that have it already, so nothing is made twice."""

from alembic import op

revision = "store_1"
down_revision = None

STEPS = (
    # The lock under which servers of that time make the very same tables.
    "SELECT pg_advisory_xact_lock(7316921)",
    """CREATE TABLE IF NOT EXISTS principals (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        created_at DOUBLE PRECISION NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS api_tokens (
        id TEXT PRIMARY KEY,
        principal TEXT NOT NULL,
        label TEXT NOT NULL,
        hash TEXT NOT NULL,
        created_at DOUBLE PRECISION NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS api_tokens_principal ON api_tokens (principal)",
    "CREATE TABLE IF NOT EXISTS alias_spellings (skeleton TEXT PRIMARY KEY, spelling TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS audit_log (
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        actor TEXT NOT NULL,
        at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (subject, action, actor)
    )""",
    """CREATE TABLE IF NOT EXISTS blocked_hosts (
        host TEXT PRIMARY KEY,
        reason TEXT NOT NULL,
        blocked_at DOUBLE PRECISION NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS raw_clicks (
        event_id TEXT PRIMARY KEY,
        code TEXT NOT NULL,
        time DOUBLE PRECISION,
        referrer TEXT NOT NULL,
        agent TEXT NOT NULL,
        address TEXT NOT NULL,
        counted_at DOUBLE PRECISION NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS raw_clicks_age ON raw_clicks (counted_at)",
    "CREATE INDEX IF NOT EXISTS raw_clicks_code ON raw_clicks (code)",
    """CREATE TABLE IF NOT EXISTS click_counts (
        code TEXT NOT NULL,
        width TEXT NOT NULL,
        start BIGINT NOT NULL,
        dimension TEXT NOT NULL,
        value TEXT NOT NULL,
        clicks BIGINT NOT NULL,
        PRIMARY KEY (code, width, start, dimension, value)
    )""",
    "CREATE INDEX IF NOT EXISTS click_counts_minutes ON click_counts (start) WHERE width = 'minute'",
    "CREATE INDEX IF NOT EXISTS click_counts_hours ON click_counts (start) WHERE width = 'hour'",
    "CREATE TABLE IF NOT EXISTS forgotten_codes (code TEXT PRIMARY KEY, forgotten_at DOUBLE PRECISION NOT NULL)",
    """CREATE TABLE IF NOT EXISTS partition_leases (
        partition_number BIGINT PRIMARY KEY,
        owner TEXT NOT NULL,
        fence BIGINT NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        committed TEXT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS idempotency_keys (
        scope TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        nonce TEXT NOT NULL,
        code TEXT NOT NULL,
        settled INTEGER NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (scope, key)
    )""",
    "CREATE INDEX IF NOT EXISTS idempotency_keys_age ON idempotency_keys (created_at)",
    "CREATE TABLE IF NOT EXISTS erasures (principal TEXT NOT NULL, code TEXT NOT NULL, PRIMARY KEY (principal, code))",
    """CREATE TABLE IF NOT EXISTS routing (
        only_row INTEGER PRIMARY KEY,
        epoch BIGINT NOT NULL,
        phase TEXT NOT NULL,
        before_move TEXT NOT NULL,
        after_move TEXT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS key_ranges (
        one_row BIGINT PRIMARY KEY CHECK (one_row = 1),
        next_number BIGINT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS worker_leases (
        worker BIGINT PRIMARY KEY,
        fence BIGINT NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        used_until DOUBLE PRECISION NOT NULL
    )""",
)


def upgrade() -> None:
    for step in STEPS:
        op.execute(step)
