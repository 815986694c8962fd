"""A widget that also says what is shown where there are no widgets: on a page without a kernel, in a terminal."""

from __future__ import annotations

from typing import Any

import anywidget


class Widget(anywidget.AnyWidget):
    def otherwise(self) -> dict[str, str]:
        """By media type, what stands beside the widget in the notebook."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data.update(self.otherwise())
        return bundle
