"""What a request through the balancer costs: processor time, rate and p99. Writes results/balancer.json.

`python tests/bench/bench_balancer.py [ROUNDS]`, with wrk, and nginx for comparison, on PATH. Three servers that answer
a constant 302 stand behind; the fronts take turns in each round, so that a drift of the machine meets all of them:

    short way       the balancer as it is
    by tasks        the balancer without `short_way`: every request goes through `front` and `exchange`
    nginx           one worker, with kept connections
"""

import asyncio
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from reference.platform.balancer import Balancer

RESULT = Path(__file__).parent / "results/balancer.json"
CONNECTIONS = (1, 8, 64)
SECONDS = 2
ANSWER = b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: https://example.org/\r\n\r\n"
NGINX = """worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream servers {{ {servers} keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://servers; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr; }} }} }}
"""


class Constant(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        health = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(health if data.startswith(b"GET /healthz") else ANSWER)


async def serve(kind: str, port: int, behind: list[int]) -> None:
    if kind == "server":
        await asyncio.get_running_loop().create_server(Constant, "127.0.0.1", port, backlog=512)
    else:
        balancer = Balancer("127.0.0.1", port, {f"app-{n}": port for n, port in enumerate(behind, 1)})
        if kind == "by tasks":
            balancer._front._short_way = None
        await balancer.start()
    await asyncio.Event().wait()


def start(kind: str, port: int, behind: list[int], folder: Path) -> subprocess.Popen[bytes]:
    if kind == "nginx":
        servers = " ".join(f"server 127.0.0.1:{each};" for each in behind)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, servers=servers, port=port))
        arguments = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        return subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    return subprocess.Popen([sys.executable, __file__, "--serve", kind, str(port), *map(str, behind)])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def worker(process: subprocess.Popen[bytes]) -> psutil.Process:
    """The process that does the work."""
    found = psutil.Process(process.pid)
    return (found.children() or [found])[0]


def measure(process: psutil.Process, port: int, connections: int) -> dict[str, float]:
    before = process.cpu_times()
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{SECONDS}s",
        "--latency",
        f"http://127.0.0.1:{port}/abcdefg",
    ]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    after = process.cpu_times()
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.split()}
    requests = next(int(line.split()[0]) for line in text.splitlines() if " requests in " in line)
    assert "Non-2xx" not in text, text
    return {
        "requests_per_second": float(lines["Requests/sec:"][1]),
        "cpu_microseconds": 1e6 * (sum(after[:2]) - sum(before[:2])) / requests,
        "p99_milliseconds": milliseconds(lines["99%"][1]),
    }


def milliseconds(text: str) -> float:
    unit = next(unit for unit in ("us", "ms", "s") if text.endswith(unit))
    return float(text.removesuffix(unit)) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    kinds = ["short way", "by tasks", *(["nginx"] if shutil.which("nginx") else [])]
    load = os.getloadavg()[0]
    found: dict[str, dict[int, list[dict[str, float]]]] = {
        kind: {c: [] for c in CONNECTIONS} for kind in kinds
    }
    base, running = 18400, []
    with tempfile.TemporaryDirectory() as folder:
        try:
            behind = [base + n for n in (1, 2, 3)]
            running += [start("server", port, [], Path(folder)) for port in behind]
            fronts = {}
            for number, kind in enumerate(kinds):
                process = start(kind, base + 10 + number, behind, Path(folder))
                running.append(process)
                fronts[kind] = process, base + 10 + number
            for _, port in fronts.values():
                wait_for(port)
            for _ in range(rounds):
                for connections in CONNECTIONS:
                    for kind, (process, port) in fronts.items():
                        found[kind][connections].append(measure(worker(process), port, connections))
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait()
    medians = {
        kind: {
            str(connections): {name: round(statistics.median(r[name] for r in runs), 1) for name in runs[0]}
            for connections, runs in by_connections.items()
        }
        for kind, by_connections in found.items()
    }
    result = {
        "what": "a constant 302 through the balancer, by number of connections; medians, fronts in turn in each round",
        "command": f"python tests/bench/bench_balancer.py {rounds}",
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "load_average_before": load,
        "median": medians,
        "cpu_by_tasks_over_short_way": {
            str(c): round(
                medians["by tasks"][str(c)]["cpu_microseconds"]
                / medians["short way"][str(c)]["cpu_microseconds"],
                2,
            )
            for c in CONNECTIONS
        },
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    if "--serve" in sys.argv:
        kind, port, *behind = sys.argv[2:]
        asyncio.run(serve(kind, int(port), [int(each) for each in behind]))
    else:
        main()
