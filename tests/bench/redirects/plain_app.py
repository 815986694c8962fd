"""What most would write first: FastAPI and redis-py, one GET a redirect; no clicks, no metrics. `plain_app.py URL`."""

import json
import sys

import uvicorn
from fastapi import FastAPI, HTTPException, Response
from redis.asyncio import Redis

from reference.platform.sockets import listen, port_of

app = FastAPI()
redis = Redis.from_url(sys.argv[1], decode_responses=True, protocol=2)


@app.get("/{code}")
async def follow(code: str) -> Response:
    entry = await redis.get(f"redirect:{code}")
    if entry is None:
        raise HTTPException(404)
    return Response(status_code=302, headers={"Location": json.loads(entry)[0], "Cache-Control": "no-store"})


if __name__ == "__main__":
    listener = listen("127.0.0.1")
    print(json.dumps({"port": port_of(listener)}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run([listener])
