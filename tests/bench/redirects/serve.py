"""One process of ours, as a supervisor runs it: `serve.py KIND SETTINGS`. Prints its port; ends with its stdin."""

import asyncio
import json
import sys

from reference.build import runnable
from reference.platform.event_loop import loop_factory, settle
from reference.platform.settings import Settings


async def main(kind: str, settings: Settings) -> None:
    process = runnable(kind, settings)
    addresses = await process.start()
    settle(kind)
    print(json.dumps(addresses), flush=True)
    try:
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await process.stop()


with asyncio.Runner(loop_factory=loop_factory(sys.argv[1])) as runner:
    runner.run(main(sys.argv[1], Settings(**json.loads(sys.argv[2]))))
