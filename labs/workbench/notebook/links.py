"""Many links at once, to have something to ask for."""

from __future__ import annotations

import asyncio

import httpx

from workbench.stack import Stack

AT_ONCE = 8


async def create_links(stack: Stack, count: int, topic: str = "page") -> list[str]:
    """Shortens `count` URLs and returns their codes. httpx.HTTPError if the stack does not take one."""
    async with httpx.AsyncClient(base_url=stack.url, timeout=10.0) as client:
        turn = asyncio.Semaphore(AT_ONCE)

        async def create(number: int) -> str:
            async with turn:
                body = {"long_url": f"https://example.com/{topic}/{number}"}
                answer = await client.post("/api/v1/shorten", json=body)
            return str(answer.raise_for_status().json()["code"])

        return await asyncio.gather(*(create(n) for n in range(count)))
