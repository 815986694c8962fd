"""`python -m grading.host`: wait for a component, then serve runs until the judge hangs up."""

from __future__ import annotations

import gc
import importlib
import logging
import sys
import warnings
from collections.abc import Callable
from typing import Any

from grading.host import guard, where
from grading.host.channel import Channel
from grading.host.component import Component, describe_error
from grading.host.determinism import Virtual
from grading.host.run import Run

RUNS_PER_COLLECTION = 8
"""The garbage collector runs at fixed places, so that finalizers do as well."""


def main() -> None:
    channel = Channel()
    current: list[Run] = []

    def tell(*event: Any) -> None:
        if current:
            current[-1].tell(*event)

    def on_exit(how: str) -> None:
        channel.send({"exit": how, "line": where.running()})

    virtual = Virtual(on_block=lambda seconds: tell("blocked", seconds if seconds == seconds else 0.0))
    channel.send(
        {"ready": True}
    )  # whatever ends the process before this is the judge's fault, not the component's
    first = channel.receive()
    where.filename = first["name"]
    if "redis" in first["schema"]["construct"].values():
        importlib.import_module("grading.host.redis_client")
    for path in first["schema"].get("uses", {}).values():
        importlib.import_module(path.partition(":")[0])
    guard.install(on_refusal=lambda what: tell("refused", what), on_exit=on_exit)
    guard.limit_resources(first["cpu_seconds"])
    guard.share_core(first.get("core"))
    guard.install_cpu_limit()
    virtual.install()
    listen_for_unawaited(lambda: current[-1].tell_of_unawaited() if current else None)
    logging.captureWarnings(False)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        component = Component(first["source"], first["schema"])
        component.fresh_class()
    except BaseException as error:  # also a module that calls sys.exit
        channel.send({"broken": describe_error(error)})
        return
    channel.send({"loaded": True})
    for number in range(1, sys.maxsize):
        message = channel.receive()["run"]
        run = Run(channel, component, virtual)
        current[:] = [run]
        run.start(**message)
        if number % RUNS_PER_COLLECTION == 0:
            gc.collect()


def listen_for_unawaited(tell: Callable[[], None]) -> None:
    """No warning is shown from here on. Python warns of a coroutine that was never awaited: then `tell` is called."""

    def heard(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if "was never awaited" in str(message):
            tell()

    warnings.simplefilter("ignore")
    warnings.filterwarnings("always", message=".* was never awaited", category=RuntimeWarning)
    warnings.showwarning = heard


if __name__ == "__main__":
    try:
        main()
    except (EOFError, BrokenPipeError):
        sys.exit(0)
