"""Redirects a second on one core, against nginx and against plain FastAPI with redis-py. Writes results/redirects.json.

`python tests/bench/bench_redirects.py [--quick]`, on Linux with wrk, nginx, taskset, cc, and two cores or more.

The server under load has core 0 for itself; the client, the log's Redis and everything else have core 1. The three are
measured in turn, so that a drift of the machine meets all of them, and only the ratios of one round count. Ours runs
as it is, with everything on: clicks into the log (drained and compared at the end), metrics, sampled log, host check.
"""

import argparse
import asyncio
import json
import os
import platform
import pwd
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from redis.asyncio import Redis

from reference.build.links import routing_of
from reference.platform import sql
from reference.platform.local import local_services
from reference.platform.metrics import Metrics
from reference.platform.process import ignore_events
from reference.platform.settings import Settings
from reference.platform.sockets import listen, port_of
from reference.shortener.components import DELETION_BOUND
from reference.shortener.links import NewLink
from reference.shortener.sharded_links import ShardedLinks

HERE = Path(__file__).parent
RESULT = HERE / "results/redirects.json"
SHARDS = ("shard-1", "shard-2", "shard-3")
SERVER, OTHERS = "0", "1"
"""Cores."""
CONNECTIONS = 64
LATE = 4.0
"""Milliseconds by which the open-loop client may be late in a round that counts as undisturbed."""
CLICK_BUFFER = 20_000
"""What a killed server loses at most, here: the log's Redis shares a core with a client that takes all it can get."""
LIVE = {"request_log_sample": 0.1}

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{port}; location / {{ return 302 https://example.org/some/page; }} }} }}
"""


class Process:
    """A process on a core of its own. `port`: None if it prints its own, as JSON."""

    def __init__(
        self,
        stack: ExitStack,
        core: str,
        argv: list[str],
        port: int | None = None,
        log: Path | None = None,
        **more: object,
    ) -> None:
        self.popen = subprocess.Popen(
            ["taskset", "-c", core, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if port is None else subprocess.DEVNULL,
            stderr=log.open("wb") if log else subprocess.DEVNULL,
            **more,  # type: ignore[call-overload]
        )
        stack.callback(self.end)
        self.port = port if port is not None else json.loads(self.popen.stdout.readline())["port"]

    def end(self) -> None:
        if self.popen.poll() is None:
            self.popen.stdin.close()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()

    def seconds(self) -> float:
        """Of processor time."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with listen("127.0.0.1") as unused:
        return port_of(unused)


# --- what is asked


def make_workload(folder: Path, links: int, seed: int) -> list[str]:
    """Codes, header blocks and the sequence of keys; returns the codes, the most popular one first."""
    source = random.Random(seed)
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    codes = list(dict.fromkeys("".join(source.choices(alphabet, k=7)) for _ in range(links)))
    heads = [
        f"Referer: https://site{source.randrange(200)}.example/page/{source.randrange(10_000)}|"
        f"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0|Accept: */*"
        for version in source.choices(range(100, 140), k=500)
    ]
    weights = [1 / rank for rank in range(1, len(codes) + 1)]
    keys = source.choices(range(len(codes)), weights, k=10 * links)
    (folder / "codes.txt").write_text("\n".join(codes) + "\n")
    (folder / "heads.txt").write_text("\n".join(heads) + "\n")
    (folder / "keys.bin").write_bytes(struct.pack(f"{len(keys)}I", *keys))
    return codes


async def insert(settings: Settings, codes: list[str]) -> None:
    """The links, into the shards, and into the cache as the reference redirect cache would put them there."""
    shards = {name: sql.connect(url, 30.0) for name, url in settings.shard_urls.items()}
    store = sql.connect(settings.store_url, 30.0)
    links = ShardedLinks(shards, routing_of(settings, store, Metrics(), ignore_events, {}))
    await links.prepare()
    now = time.time()
    waiting = iter(codes)

    async def work() -> None:
        for code in waiting:
            url = f"https://example.org/some/page/{code}"
            assert await links.insert(NewLink(code, url, now, now + 86_400, "0" * 64))

    await asyncio.gather(*(work() for _ in range(24)))
    async with Redis.from_url(settings.cache_url, protocol=2) as redis:
        for start in range(0, len(codes), 5000):
            pipeline = redis.pipeline(transaction=False)
            for code in codes[start : start + 5000]:
                entry = json.dumps([f"https://example.org/some/page/{code}", now + 86_400])
                pipeline.set(f"redirect:{code}", entry, ex=3600)
            await pipeline.execute()
    await asyncio.gather(store.close(), *(shard.close() for shard in shards.values()))


# --- measuring


def wrk(port: int, seconds: float, workload: Path, turn: int) -> dict[str, float]:
    argv = [
        "taskset",
        "-c",
        OTHERS,
        "wrk",
        f"-c{CONNECTIONS}",
        "-t1",
        f"-d{max(1, round(seconds))}s",
        "-s",
        str(HERE / "redirects/zipf.lua"),
    ]
    out = subprocess.run(
        [*argv, f"http://127.0.0.1:{port}"],
        env={**os.environ, "WORKLOAD": str(workload), "TURN": str(turn)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    requests, microseconds, errors, p99 = map(float, out.rpartition("RESULT ")[2].split())
    wrong = "Non-2xx" in out
    return {
        "requests": requests,
        "rate": requests / microseconds * 1e6,
        "errors": errors + wrong,
        "p99_ms": p99 / 1000,
    }


def load(process: Process, seconds: float, workload: Path, turn: int) -> dict[str, float]:
    before, began = process.seconds(), time.perf_counter()
    found = wrk(process.port, seconds, workload, turn)
    return found | {"busy": (process.seconds() - before) / (time.perf_counter() - began)}


def metric(port: int, name: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def warm(process: Process, codes: list[str], entries: int) -> None:
    """Every link is asked for until it is in the server's memory."""
    client = HTTPConnection("127.0.0.1", process.port, timeout=10)
    deadline = time.monotonic() + 60 + len(codes) / 200
    while metric(process.port, "near_cache_entries") < entries:
        assert time.monotonic() < deadline, "the near cache does not fill"
        for code in codes:
            client.request("GET", f"/{code}")
            client.getresponse().read()
    client.close()


def stops(port: int, workload: Path) -> dict[str, float]:
    """Under full load: for how long a deleted link, and one that has ended, still redirected. They are asked for one
    by one; a redirect counts from when it was asked for."""
    last = {"deleted": 0.0, "ended": 0.0}
    ends = time.time() + 3
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:

        def shorten(**more: str) -> dict[str, str]:
            return dict(
                client.post("/api/v1/shorten", json={"long_url": "https://example.org/", **more})
                .raise_for_status()
                .json()
            )

        made = shorten()
        instant = datetime.fromtimestamp(ends, UTC).isoformat()
        codes = {"deleted": made["code"], "ended": shorten(expiry=instant)["code"]}
        deleted = 0.0
        with under_load(port, workload):
            while time.time() < ends + 2:
                if not deleted and time.time() > ends - 1:
                    bearer = {"Authorization": f"Bearer {made['delete_token']}"}
                    client.delete(f"/api/v1/links/{made['code']}", headers=bearer).raise_for_status()
                    deleted = time.time()
                for name, code in codes.items():
                    asked = time.time()
                    if client.get(f"/{code}").status_code == 302:
                        last[name] = asked
    return {
        "after_deletion": round(last["deleted"] - deleted, 4),
        "after_end": round(last["ended"] - ends, 4),
    }


@contextmanager
def under_load(port: int, workload: Path) -> Iterator[None]:
    argv = [
        "taskset",
        "-c",
        OTHERS,
        "wrk",
        f"-c{CONNECTIONS}",
        "-t1",
        "-d60s",
        "-s",
        str(HERE / "redirects/zipf.lua"),
    ]
    environment = {**os.environ, "WORKLOAD": str(workload)}
    client = subprocess.Popen([*argv, f"http://127.0.0.1:{port}"], env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        client.terminate()
        client.wait()


async def drained(settings: Settings, stack: ExitStack, expected: float) -> dict[str, float]:
    """Has the consumer count all clicks, and says what stands in the store then."""
    consumer = ours(stack, "consumer", settings, OTHERS, "consumer")
    began = time.monotonic()
    while metric(consumer.port, "clicks_counted_total") < expected:
        assert consumer.popen.poll() is None, "the consumer ended"
        counted = metric(consumer.port, "clicks_counted_total")
        assert time.monotonic() - began < 60 + expected / 1000, f"{counted} of {expected} clicks are counted"
        await asyncio.sleep(0.5)
    await asyncio.sleep(2)  # were there more than expected, they would be counted too
    duplicates = metric(consumer.port, "clicks_duplicate_total")
    total = metric(consumer.port, "clicks_counted_total")
    return {"counted": total, "duplicates": duplicates, "seconds": round(time.monotonic() - began, 1)}


def ours(stack: ExitStack, kind: str, settings: Settings, core: str, role: str) -> Process:
    told = settings.model_copy(update={"role": role}).model_dump(mode="json")
    log = Path(str(settings.data_dir)) / f"{role}.log"
    return Process(
        stack, core, [sys.executable, str(HERE / "redirects/serve.py"), kind, json.dumps(told)], log=log
    )


# --- all of it


async def measure(folder: Path, links: int, rounds: int, seconds: float) -> dict[str, object]:
    with ExitStack() as stack:
        settings, servers = await begun(stack, folder, links)
        app = servers["ours"]
        servers["plain FastAPI + redis-py"] = Process(
            stack, SERVER, [sys.executable, str(HERE / "redirects/plain_app.py"), settings.cache_url]
        )
        found: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
        for number in range(rounds + 1):
            for name, server in servers.items():
                measured = await asyncio.to_thread(load, server, seconds, folder, 1000 * number)
                if number:  # the first one warms
                    found[name].append(measured)
        rate = {name: statistics.median(each["rate"] for each in of) for name, of in found.items()}
        busy = {name: statistics.median(each["busy"] for each in of) for name, of in found.items()}
        print(json.dumps({name: [round(rate[name]), round(busy[name], 2)] for name in rate}), flush=True)
        seventy = await asyncio.to_thread(
            latencies, servers, 0.7 * rate["ours"], 2 * seconds, 2 * rounds, folder
        )
        stopped = await asyncio.to_thread(stops, app.port, folder)
        await asyncio.sleep(1)  # what is still in the buffer
        answers = metric(app.port, 'http_requests_total{route="/{code}",status="302"}')
        clicks = {
            "answers": answers,
            "dropped": metric(app.port, 'click_events_total{outcome="dropped"}'),
            **await drained(settings, stack, answers),
        }
        nginx, plain = "nginx, constant 302", "plain FastAPI + redis-py"
        pairs = list(zip(found["ours"], found[nginx], found[plain], strict=True))
        return {
            "median_rate": {name: round(each) for name, each in rate.items()},
            "ours_to_nginx": statistics.median(one["rate"] / other["rate"] for one, other, _ in pairs),
            "ours_to_plain": statistics.median(one["rate"] / other["rate"] for one, _, other in pairs),
            "busy": busy,
            "rate_per_busy_second": {name: round(rate[name] / busy[name]) for name in rate},
            "ours_to_nginx_per_busy_second": statistics.median(
                one["rate"] / one["busy"] / (other["rate"] / other["busy"]) for one, other, _ in pairs
            ),
            "fast": metric(app.port, 'redirect_seconds_count{how="fast"}') / answers,
            "open_loop_at_70_percent": seventy,
            "seconds_that_a_link_redirected_on": {"bound": DELETION_BOUND, **stopped},
            "clicks": clicks,
            "rounds": found,
        }


async def latency_alone(folder: Path, links: int, rate: float) -> dict[str, Any]:
    with ExitStack() as stack:
        _, servers = await begun(stack, folder, links)
        await asyncio.to_thread(load, servers["ours"], 3.0, folder, 0)
        return await asyncio.to_thread(latencies, servers, 0.7 * rate, 6.0, 15, folder)


async def begun(stack: ExitStack, folder: Path, links: int) -> tuple[Settings, dict[str, Process]]:
    """nginx, and our server with all links warm."""
    compiled(folder)
    settings = services(stack, folder)
    codes = make_workload(folder, links, seed=7)
    await insert(settings, codes)
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    servers = {
        "nginx, constant 302": Process(stack, SERVER, ["nginx", "-c", str(folder / "nginx.conf")], port),
        "ours": ours(stack, "app", settings, SERVER, "app-1"),
    }
    await until_ready(servers["ours"].port)
    await asyncio.to_thread(warm, servers["ours"], codes, len(codes))
    return settings, servers


def services(stack: ExitStack, folder: Path) -> Settings:
    """Real Redis and PostgreSQL, on the other core."""
    urls = {}
    for spec in local_services(folder, SHARDS):
        stack.callback(spec.lease.release)
        as_user = {"user": spec.user, "group": group_of(spec.user), "extra_groups": []} if spec.user else {}
        Process(
            stack,
            OTHERS,
            list(spec.argv),
            0,
            cwd=spec.cwd,
            env=spec.env | {"PATH": os.environ["PATH"]},
            **as_user,
        )
        while not spec.ready():
            time.sleep(0.05)
        urls[spec.name] = spec.url
    told = {f"{name}_url": urls[name] for name in ("cache", "log", "pool", "store")}
    shards = {name: urls[name] for name in SHARDS}
    return Settings(
        **told, shard_urls=shards, shards=len(SHARDS), click_buffer=CLICK_BUFFER, data_dir=folder, live=LIVE
    )


def group_of(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


async def until_ready(port: int) -> None:
    async with httpx.AsyncClient() as client:
        while (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def latencies(
    servers: dict[str, Process], rate: float, seconds: float, rounds: int, workload: Path
) -> dict[str, Any]:
    """Latency as an open-loop client sees it that makes the whole load. The servers in turn; medians of the rounds."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("nginx, constant 302", "ours")}
    for number in range(rounds):
        for name, measured in found.items():
            measured.append(open_loop(servers[name], rate, seconds, workload, 10_000 * number))
    return {
        name: {
            "rate": round(statistics.median(each["rate"] for each in of)),
            "milliseconds": medians(of),
            "undisturbed": undisturbed(of),
            "rounds": of,
        }
        for name, of in found.items()
    }


def medians(rounds: list[dict[str, Any]]) -> dict[str, float]:
    quantiles = ("0.5", "0.95", "0.99", "0.999")
    return {q: statistics.median(each["milliseconds"][q] for each in rounds) for q in quantiles}


def undisturbed(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The same of the rounds in which the machine let the client run whenever it wanted to. The client comes before
    everything else on its core: if it was late, somebody outside took the core, and what it saw is not the server's."""
    quiet = [each for each in rounds if each["largest_delay_of_the_client_ms"] < LATE]
    return {"rounds": len(quiet), "of": len(rounds)} | ({"milliseconds": medians(quiet)} if quiet else {})


def open_loop(server: Process, rate: float, seconds: float, workload: Path, turn: int) -> dict[str, Any]:
    # Before the others on its core: an instrument that is late measures itself.
    first = ["chrt", "-f", "10"] if os.geteuid() == 0 else []
    argv = [str(workload / "open_loop"), str(server.port), f"{rate:.0f}", str(seconds), str(CONNECTIONS)]
    before, began = server.seconds(), time.perf_counter()
    out = subprocess.run(
        ["taskset", "-c", OTHERS, *first, *argv, str(workload), str(turn)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, Any] = json.loads(out)
    assert found["answers"] == found["redirects"] == found["requests"], found
    return found | {"busy": round((server.seconds() - before) / (time.perf_counter() - began), 3)}


def compiled(folder: Path) -> None:
    source = HERE / "redirects/open_loop.c"
    subprocess.run(["cc", "-O2", "-o", str(folder / "open_loop"), str(source), "-lm"], check=True)


def versions() -> dict[str, str]:
    commands = {"nginx": ["nginx", "-v"], "redis": ["redis-server", "--version"], "wrk": ["wrk", "-v"]}
    told = {}
    for name, argv in commands.items():
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        told[name] = (done.stdout + done.stderr).strip().splitlines()[0]
    return told | {name: version(name) for name in ("uvicorn", "httptools", "fastapi", "redis", "uvloop")}


def python_nanoseconds() -> float:
    """For one turn of an empty loop: the same version of Python, compiled without profile-guided optimization, needs
    half as much again for all that it does. Distributions ship it optimized; pyenv, unless told to, does not."""
    return min(timeit.repeat("for n in range(1000): pass", number=1000, repeat=5)) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few links, short rounds; writes nothing")
    parser.add_argument(
        "--latency",
        action="store_true",
        help="measures nothing but that again, into the results that there are",
    )
    options = parser.parse_args()
    quick = options.quick
    missing = [name for name in ("wrk", "nginx", "taskset", "cc") if shutil.which(name) is None]
    if missing or not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        raise SystemExit(
            f"this needs Linux, two cores, and {', '.join(missing) or 'wrk, nginx, taskset, cc'}"
        )
    links, rounds, seconds = (2000, 2, 2.0) if quick else (100_000, 5, 3.0)
    before = os.getloadavg()[0]
    if options.latency:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o711)
            told = json.loads(RESULT.read_text("utf-8"))
            seventy = asyncio.run(latency_alone(Path(folder), links, told["median_rate"]["ours"]))
        told["open_loop_at_70_percent"] = seventy
        RESULT.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
        print(json.dumps({name: {**of, "rounds": []} for name, of in seventy.items()}, indent=1))
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        found = asyncio.run(measure(Path(folder), links, rounds, seconds))
    result = {
        "what": "redirects/s of one core over real services; Zipf keys (s = 1), varied Referer and User-Agent",
        "command": "python tests/bench/bench_redirects.py",
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "python_nanoseconds": round(python_nanoseconds(), 1),
        "versions": versions(),
        "load_average_before": before,
        "links": links,
        "settings": {"click_buffer": CLICK_BUFFER, **LIVE, "connections": CONNECTIONS},
        **found,
    }
    if not quick:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps({name: each for name, each in result.items() if name != "rounds"}, indent=1))


if __name__ == "__main__":
    main()
