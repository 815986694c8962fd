"""What a restored store must not believe: that time has stood still since the backup.

- Numbers of codes. Those allotted since the backup would be allotted again, under the same permutation, and so codes
  that went to links which are lost now would go to others: an address that somebody has printed would lead elsewhere.
  So the counter goes on behind all that can have been allotted.
- Instants of worker numbers, likewise: those that were used since the backup.
- How far the log has been counted. The log may be another one by now, or the same with more in it: it is read from
  its beginning, and what is in the counts already is known by its id (the ids are kept for longer than any log).
"""

from __future__ import annotations

from reference.platform.event_log import START

NUMBERS_A_SECOND = 10_000
"""That a stack may have allotted, at most. A day more than passed since the backup is assumed, for what clocks say."""
DAY = 86_400.0
NUMBERS = 62**7
AHEAD = 10.0
"""Seconds that a server may have used instants before their time."""


def statements(taken: float, now: float) -> str:
    """SQL for a store of a backup that began at `taken`; both in POSIX seconds."""
    skipped = int(NUMBERS_A_SECOND * (max(0.0, now - taken) + DAY))
    return f"""
        BEGIN;
        UPDATE key_ranges SET next_number = LEAST(next_number + {skipped}, {NUMBERS});
        UPDATE worker_leases SET used_until = GREATEST(used_until, {now + AHEAD}), expires_at = 0;
        UPDATE partition_leases SET committed = '{START}', expires_at = 0;
        COMMIT;
    """
