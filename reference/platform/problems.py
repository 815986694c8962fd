"""Errors over HTTP: `application/problem+json`, RFC 9457. Every error of every case has this one shape."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"


@dataclass(slots=True)
class Problem(Exception):
    """An answer that is an error. `kind` is the last part of its type URI; `extra` are members of its own."""

    status: int
    kind: str
    detail: str
    headers: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    def body(self, instance: str, request_id: str) -> bytes:
        """`instance`: the path that was asked for."""
        return json.dumps(
            {
                "type": f"urn:workbench:problem:{self.kind}",
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "instance": instance,
                "request_id": request_id,
                **self.extra,
            }
        ).encode()
