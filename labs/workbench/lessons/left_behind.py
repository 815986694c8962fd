"""Where something is still written down: the cache and the log of a running stack, searched for words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redis import Redis

from workbench.stack import Stack

SERVICES = ("cache", "log")


def left_behind(stack: Stack, words: Iterable[str]) -> dict[str, int]:
    """Service to how many of its entries hold at least one of `words`, in their key or in their value."""
    wanted = [word.encode() for word in words]
    urls = stack.service_urls()
    found = {}
    for service in SERVICES:
        with Redis.from_url(urls[service], protocol=2, socket_timeout=5) as client:
            texts = [text for key in client.keys("*") for text in entries(client, key)]
        found[service] = sum(any(word in text for word in wanted) for text in texts)
    return found


def entries(client: Any, key: bytes) -> list[bytes]:
    """Each entry under `key`, with the key, as one text. Of a key that is gone by now: none."""
    kind = client.type(key)
    if kind == b"string":
        return [key + b" " + (client.get(key) or b"")]
    if kind == b"stream":
        return [
            b" ".join([key, *(part for pair in fields.items() for part in pair)])
            for _, fields in client.xrange(key)
        ]
    if kind == b"hash":
        return [b" ".join([key, *pair]) for pair in client.hgetall(key).items()]
    if kind == b"set":
        return [key + b" " + member for member in client.smembers(key)]
    return []
