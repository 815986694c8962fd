"""The versions of the schema of PostgreSQL: a history for the store, one for the shards (see `platform.migrations`).

Each step is text that never changes again: what it made is out there. What they amount to is what the modules' own
TABLES say, by which servers of the other profiles make their tables; a test compares the two.
"""

from pathlib import Path

STORE = Path(__file__).parent / "store"
SHARD = Path(__file__).parent / "shard"
