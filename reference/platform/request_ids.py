"""The id that a proxy gives a request which has none: every log line and answer on its way carries it."""

from __future__ import annotations

import random

from reference.platform.http1 import RequestHead
from reference.platform.trace_context import brought


def id_for(request: RequestHead | None) -> bytes:
    """What the request brings, else a new one."""
    if request is None:
        return new_id()
    return brought(request.get(b"x-request-id"), request.get(b"traceparent")).encode() or new_id()


def new_id() -> bytes:
    """Nobody must be kept from guessing it: it only has to be different each time."""
    return b"%032x" % random.getrandbits(128)
