"""Statements about single links: their end, their deletion, their names, where they lead."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from itertools import cycle, islice
from typing import Any

from grading.answers.requirements import Statement
from workbench.promises.stage import WATCHED, Stage, bearer, counted, instant, refused, word
from workbench.promises.table import Tried

YEAR = 365 * 86_400.0
LIFE = 2.0
"""Seconds that a link lives whose end is watched."""
RACES = 8
FAR_TOO_LONG = 200_000
"""Characters of a target that nobody promises to take."""
STRANGE = {
    "http": "http://example.com/",
    "https": "https://example.com/",
    "javascript": "javascript:alert(1)",
    "data": "data:text/html,<h1>hello</h1>",
    "file": "file:///etc/hostname",
    "ftp": "ftp://example.com/",
    "mailto": "mailto:somebody@example.com",
}


async def link_expiry(stage: Stage, said: Statement) -> Tried:
    within, answer, default = said.number("within"), int(said.text("answer")), said.number("default")
    end = time.time() + LIFE
    warm, cold = await asyncio.gather(*(stage.made(expiry=instant(end)) for _ in range(2)))
    endless = await stage.made()
    life = (datetime.fromisoformat(endless["expires_at"]).timestamp() - time.time()) / YEAR
    await stage.everywhere([warm["code"]])  # now it is in every cache
    await asyncio.sleep(max(0.0, end - time.time()))
    late = await stage.last_redirect(warm["code"], end, min(within, WATCHED))
    if late is None:
        state: Any = "broken" if within <= WATCHED else "not shown"
        return Tried(state, f"It still redirected {min(within, WATCHED):g} s after its end.")
    statuses = await stage.everywhere([warm["code"], cold["code"]])
    stopped = f"It redirected for {late:.2f} s longer" if late else "It did not redirect once"
    figures = (
        f"{stopped} after its end; then the servers and the public address answered {counted(statuses)}. "
    )
    figures += f"Default: {life:.2f} years."
    kept = set(statuses) == {answer} and abs(life / default - 1) < 0.01
    return Tried("kept" if kept else "broken", figures)


async def deletion(stage: Stage, said: Statement) -> Tried:
    within = said.number("within")
    if said.text("by") == "account owner":
        owner, stranger = await account(stage), await account(stage)
        link = await stage.made(token=owner)
    else:
        link = await stage.made()
        owner, stranger = link["delete_token"], f"not-{word()}"
    path = f"/api/v1/links/{link['code']}"
    attempts = [
        (await stage.http.delete(path, headers=bearer(token))).status_code for token in ("", stranger)
    ]
    alive = await stage.everywhere([link["code"]])  # now it is in every cache
    done = (await stage.http.delete(path, headers=bearer(owner))).status_code
    late = await stage.last_redirect(link["code"], time.time(), min(within, WATCHED))
    figures = f"Without a token {attempts[0]}, with a stranger's {attempts[1]}, with the right one {done}. "
    if late is None:
        state: Any = "broken" if within <= WATCHED else "not shown"
        return Tried(state, f"{figures}It still redirected {min(within, WATCHED):g} s later.")
    figures += f"The last redirect came {late:.2f} s later." if late else "Not one redirect came afterwards."
    if said.text("by") == "anybody":
        return Tried("kept" if attempts[0] == 204 else "broken", figures)
    kept = all(refused(status) for status in attempts) and set(alive) == {302} and done == 204
    return Tried("kept" if kept else "broken", figures)


async def account(stage: Stage) -> str:
    """The token of somebody new."""
    headers = bearer(await asyncio.to_thread(lambda: stage.stack.admin_token))
    answer = await stage.http.post("/api/v1/principals", json={"name": f"visitor {word()}"}, headers=headers)
    return str(answer.raise_for_status().json()["token"])


async def aliases(stage: Stage, said: Statement) -> Tried:
    winners, loser = int(said.number("winners")), int(said.text("loser"))
    races = [await race(stage, f"race-{word()}") for _ in range(RACES)]
    won = [statuses.count(201) for statuses in races]
    lost = [status for statuses in races for status in statuses if status != 201]
    longest = int(said.number("longest"))
    long, longer = [
        (await stage.make(custom_alias=(f"long-{word()}-" + "x" * size)[:size])).status_code
        for size in (longest, longest + 1)
    ]
    answers = {each: (await stage.make(custom_alias=each)).status_code for each in said.words("refused")}
    given = [each for each, status in answers.items() if not refused(status) or status == 409]
    winner = "one winner" if set(won) == {1} else f"{min(won)} to {max(won)} winners"
    figures = f"{RACES} races of two clients: {winner} each, the others got {counted(lost)}. "
    figures += f"An alias of {longest} characters: {long}, one of {longest + 1}: {longer}{generous(longer)}. "
    figures += (
        f"Given away after all: {', '.join(given)}." if given else "None of the refused names was given away."
    )
    limit = long == 201 and refused(longer)
    kept = set(won) == {winners} and set(lost) == {loser} and limit and not given
    return Tried("kept" if kept else "broken", figures)


def generous(status: int) -> str:
    """Said where one more than the limit is taken all the same."""
    return " (longer than you allow)" if status == 201 else ""


async def race(stage: Stage, alias: str) -> list[int]:
    """Two clients ask two servers for one alias at once: both statuses."""
    servers = islice(cycle(stage.servers), 2)
    answers = await asyncio.gather(*(stage.make(at=server, custom_alias=alias) for server in servers))
    return [answer.status_code for answer in answers]


async def targets(stage: Stage, said: Statement) -> Tried:
    schemes, longest = said.words("schemes"), int(said.number("longest"))
    answers = {scheme: (await stage.make(url)).status_code for scheme, url in STRANGE.items()}
    taken = [scheme for scheme, status in answers.items() if status == 201]
    failed = [scheme for scheme, status in answers.items() if status != 201 and not refused(status)]
    start = f"{schemes[0] if schemes else 'https'}://example.com/{word()}?"
    long = (await stage.make(start + "x" * (longest - len(start)))).status_code
    longer = (await stage.make(start + "x" * (longest + 1 - len(start)))).status_code
    endless = (await stage.make(start + "x" * FAR_TOO_LONG)).status_code
    figures = f"Of {len(answers)} sorts of targets it took {', '.join(taken) or 'none'}. "
    figures += (
        f"A target of {longest:,} characters: {long}, one of {longest + 1:,}: {longer}{generous(longer)}, "
    )
    figures += f"one of {FAR_TOO_LONG:,}: {endless}."
    if failed:
        figures += f" The service failed at: {', '.join(failed)}."
    limit = long == 201 and refused(longer) and refused(endless)
    kept = set(taken) == set(schemes) and not failed and limit
    return Tried("kept" if kept else "broken", figures)
