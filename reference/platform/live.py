"""The live settings of one process, as they are now."""

from __future__ import annotations

from typing import Any

from reference.platform.settings import LiveSettings


class Live:
    """`now` is read at each use and never kept: that is what makes a setting live."""

    def __init__(self, settings: LiveSettings) -> None:
        self.now = settings

    def set(self, name: str, value: Any) -> dict[str, Any]:
        """The command `set`. Returns all live settings. ValueError, with the allowed range, if that cannot be."""
        self.now = self.now.with_value(name, value)
        return self.now.model_dump()
