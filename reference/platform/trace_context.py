"""The id that a request brings: its own, or that of its trace (W3C Trace Context, Recommendation of 2021).

    traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
                    trace id, 32 hex digits          the caller's span flags; the last bit: sampled

A request that brings only a `traceparent` has its trace id as its id, after `trace-` (see `tracing`) if it is sampled.
A request that brings nothing gets an id of 32 hex digits, which is a trace id too. So the id that goes with a request
to its log lines and its click says in every case which trace it belongs to.
"""

from __future__ import annotations

import re

from reference.platform.tracing import PREFIX

_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_TRACE_ID = re.compile(rf"(?:{PREFIX})?([0-9a-f]{{32}})")


_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


def brought(request_id: bytes | None, traceparent: bytes | None) -> str:
    """By X-Request-Id, if it is well-formed, else by traceparent; "" if neither gives one."""
    if request_id is not None and _REQUEST_ID.fullmatch(request_id) is not None:
        return request_id.decode()
    return request_id_in(traceparent)


def trace_id_in(traceparent: bytes | None) -> str:
    """32 hex digits; "" where there is no well-formed traceparent, which is then as if it were not there."""
    match = _TRACEPARENT.fullmatch(traceparent or b"")
    return match[1].decode() if match else ""


def request_id_in(traceparent: bytes | None) -> str:
    """The id of a request that brings no other; "" likewise."""
    match = _TRACEPARENT.fullmatch(traceparent or b"")
    if match is None:
        return ""
    return (PREFIX if int(match[3], 16) & 1 else "") + match[1].decode()


def trace_id_of(request_id: str) -> str:
    """The trace that a request with this id belongs to; "" if its id is no trace id."""
    match = _TRACE_ID.fullmatch(request_id)
    return match[1] if match else ""
