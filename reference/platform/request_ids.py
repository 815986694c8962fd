"""The id that a proxy gives a request which has none: every log line and answer on its way carries it."""

from __future__ import annotations

import random

from reference.platform.http1 import RequestHead
from reference.platform.request_context import well_formed
from reference.platform.trace_context import request_id_in


def id_for(request: RequestHead | None) -> bytes:
    """The request's id if it has a well-formed one, or a trace context that gives it one; else a new one."""
    if request is None:
        return new_id()
    given = request.get(b"x-request-id")
    if given is not None and well_formed(given):
        return given
    return request_id_in(request.get(b"traceparent")).encode() or new_id()


def new_id() -> bytes:
    """Nobody must be kept from guessing it: it only has to be different each time."""
    return b"%032x" % random.getrandbits(128)
