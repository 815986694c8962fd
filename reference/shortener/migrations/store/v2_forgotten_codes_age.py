"""Expand: an index by which `retention` finds what was lately forgotten, and what is to go. It asks every minute, on
every keeper, and read the whole table for it. Purges and erasures write to that table, so it is made while they do."""

from reference.platform.migrations import concurrently

revision = "store_2"
down_revision = "store_1"


def upgrade() -> None:
    concurrently("forgotten_codes_age", "ON forgotten_codes (forgotten_at)")
