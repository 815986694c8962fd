from __future__ import annotations


class BackupError(Exception):
    """Why there is no backup, or no restore; for a person to read."""
