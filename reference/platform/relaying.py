"""The way back through a proxy: a server's answer, passed on to the client as it comes."""

from __future__ import annotations

from typing import Protocol

from reference.platform.backends import Backend, Upstream
from reference.platform.front_client import Client
from reference.platform.http1 import HOP_BY_HOP, Headers, RequestHead, ResponseHead
from reference.platform.http1_bodies import body
from reference.platform.tunnel import tunnel
from reference.platform.wire import Wire


class Witness(Protocol):
    """Sees an answer pass by."""

    def head(self, answer: ResponseHead) -> Headers:
        """Called first. Headers to add to what the client gets."""
        ...

    def body(self, data: bytes) -> None:
        """Called with the body, once and whole, if its length was given and it has come already; else not at all."""
        ...


async def relay(
    client: Client,
    request: RequestHead,
    answer: ResponseHead,
    backend: Backend,
    upstream: Upstream,
    witness: Witness | None,
) -> bool:
    """Whether the client's connection can carry another request."""
    if request.upgrades and answer.status == 101:
        await _switch(client, upstream, answer)
        return False
    finished = False
    try:
        framing = answer.framing(request.method)
        keep = request.keep_alive and framing != "until-close"
        add = witness.head(answer) if witness is not None else []
        head = answer.encode(HOP_BY_HOP, [*add, (b"connection", b"keep-alive" if keep else b"close")])
        if isinstance(framing, int) and len(upstream.buffer) >= framing:
            # Nearly always: all of it is here, and goes in one write.
            whole = upstream.take(framing)
            client.write(head + whole)
            if witness is not None:
                witness.body(whole)
        else:
            client.write(head)
            async for piece in body(upstream, framing, None):
                client.write(piece)
                await client.drain(None)
        finished = answer.keep_alive and framing != "until-close"
        await client.drain(None)
        return keep
    finally:  # a connection on which something is still under way is of no further use
        if finished:
            backend.give_back(upstream)
        else:
            upstream.abort()


async def _switch(client: Client, upstream: Wire, answer: ResponseHead) -> None:
    """From now on bytes are bytes, both ways, until one side ends."""
    add = [(b"connection", b"upgrade"), (b"upgrade", answer.get(b"upgrade") or b"")]
    client.write(answer.encode(HOP_BY_HOP, add))
    await tunnel(client, upstream)
