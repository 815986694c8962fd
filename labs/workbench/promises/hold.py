"""`await hold(stack, requirements)`: runs each stated requirement as an experiment, and tells which the stack kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx

from grading.answers import exercise
from grading.answers.reading import Unreadable
from grading.answers.requirements import Requirements, Statement, Statements
from workbench.notebook.answer import Answer
from workbench.notebook.links import create_links
from workbench.notebook.status import StatusLine
from workbench.promises.guessing import not_guessable
from workbench.promises.one_by_one import aliases, deletion, link_expiry, targets
from workbench.promises.stage import Stage
from workbench.promises.table import Promise, Promises, Tried
from workbench.promises.under_load import clicks_counted, reads_available, redirects_fast
from workbench.stack import Stack

Experiment = Callable[[Stage, Statement], Awaitable[Tried]]
LINKS = 40

TOGETHER: dict[str, Experiment] = {
    "link-expiry": link_expiry,
    "deletion": deletion,
    "aliases": aliases,
    "targets": targets,
    "not-guessable": not_guessable,
}
"""They ask little, and mostly wait: all at once."""

IN_TURN: dict[str, Experiment] = {
    "redirects-fast": redirects_fast,
    "clicks-counted": clicks_counted,
    "reads-available": reads_available,
}
"""They load the machine, one after the other; the second counts the clicks of the first."""


async def hold(stack: Stack, requirements: Answer | None) -> Promises:
    """Whether the stack keeps what an answer of kind "requirements" states.

    In a notebook: `await hold(stack, requirements)`. Takes some 20 s. A server is killed, or something cut off, if a
    statement says so, and all is mended afterwards. What concerns no run (the scope) is left out. TypeError: no such
    answer. Unreadable: it is no TOML. StoppedEarly: a load was stopped by its button.
    """
    statements = stated(requirements)
    began = time.monotonic()
    status = StatusLine("Trying your statements …")
    limit = await asyncio.to_thread(lambda: stack.settings()["shorten_limit"])
    if limit:  # what is tried makes more links than a person would
        await asyncio.to_thread(stack.set, "shorten_limit", 0.0)
    try:
        tried = await all_tried(stack, statements, status)
    finally:
        if limit:
            await asyncio.to_thread(stack.set, "shorten_limit", limit)
    rows = [Promise(id, statements[id].sentence, tried[id]) for id in statements if id in tried]
    found = Promises(rows, time.monotonic() - began)
    status.update("Your statements were tried.")
    return found


def stated(requirements: Answer | None) -> Statements:
    """TypeError, Unreadable."""
    if requirements is None:
        raise TypeError("there are no requirements yet: write them in 01-requirements, and run that cell")
    found = exercise(requirements.id) if isinstance(requirements, Answer) else None
    if not isinstance(found, Requirements):
        raise TypeError(
            "hold takes what a cell %%answer …/requirements left behind: await hold(stack, requirements)"
        )
    try:
        return found.statements(requirements.text)
    except Unreadable as error:
        raise Unreadable(f"the requirements cannot be read: {error}") from None


async def all_tried(stack: Stack, statements: Statements, status: StatusLine) -> dict[str, Tried]:
    servers = await asyncio.to_thread(lambda: tuple(stack.server_url(name) for name in stack.servers))
    codes = await create_links(stack, LINKS, "hold")
    async with httpx.AsyncClient(base_url=stack.url, timeout=10.0) as http:
        stage = Stage(stack, http, servers, codes)
        for code in codes:  # warm, and counted
            stage.clicks += (await http.get(f"/{code}")).status_code == 302
        stage.clicked = time.monotonic()
        names = [id for id in TOGETHER if id in statements]
        status.update(f"Trying {', '.join(names)} …")
        found = await asyncio.gather(*(one(stage, statements[id], TOGETHER[id]) for id in names))
        tried = dict(zip(names, found, strict=True))
        for id in (id for id in IN_TURN if id in statements):
            status.update(f"Trying {id} …")
            tried[id] = await one(stage, statements[id], IN_TURN[id])
    return tried


async def one(stage: Stage, statement: Statement, experiment: Experiment) -> Tried:
    if statement.unsaid:
        unsaid = ", ".join(f"`{name}`" for name in statement.unsaid)
        return Tried("not shown", f"It does not say {unsaid}, so no run can break it.")
    try:
        return await experiment(stage, statement)
    except httpx.HTTPError as error:
        return Tried(
            "not shown",
            f"The stack did not answer as it should meanwhile: {type(error).__name__} {error}"[:300],
        )
