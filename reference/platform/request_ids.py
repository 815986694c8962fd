"""The id that a proxy gives a request which has none: every log line and answer on its way carries it."""

from __future__ import annotations

import random

from reference.platform.http1 import RequestHead
from reference.platform.request_context import well_formed


def id_for(request: RequestHead | None) -> bytes:
    """The request's id if it has a well-formed one, else a new one."""
    given = request.get(b"x-request-id") if request else None
    return given if given is not None and well_formed(given) else new_id()


def new_id() -> bytes:
    """Nobody must be kept from guessing it: it only has to be different each time."""
    return b"%032x" % random.getrandbits(128)
