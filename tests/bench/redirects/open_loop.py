"""An open-loop client: requests leave when they are due, however slow the answers are, and latency counts from then.

A closed-loop client such as wrk waits for an answer before it asks again: while a server hangs it asks nothing, and
so hardly notices. This one asks on. `open_loop.py PORT RATE SECONDS WORKLOAD_FOLDER`; prints JSON.

Once a tick it sends all that has become due, spread over its connections. Python can make 30,000 a second that way,
but then measures its own lateness; so the benchmark has it ask 2,000 a second, beside a wrk that makes up the load.
"""

import json
import select
import socket
import struct
import sys
import time
from collections import deque
from pathlib import Path

CONNECTIONS = 64
TICK = 0.0002
"""Seconds. `select` takes such a timeout; `epoll_wait` would make a millisecond of it."""
END, FOUND = b"\r\n\r\n", b"HTTP/1.1 302 "


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.due: deque[float] = deque()
        self.rest = b""
        self.unsent = b""

    def send(self, data: bytes) -> None:
        self.unsent += data
        try:
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            pass


def main(port: int, rate: float, seconds: float, folder: Path) -> None:
    codes = (folder / "codes.txt").read_text().split()
    heads = [line.replace("|", "\r\n") for line in (folder / "heads.txt").read_text().splitlines()]
    raw = (folder / "keys.bin").read_bytes()
    keys = struct.unpack(f"{len(raw) // 4}I", raw)
    total = int(rate * seconds)
    requests = [
        f"GET /{codes[keys[n % len(keys)]]} HTTP/1.1\r\nHost: 127.0.0.1\r\n{heads[n % len(heads)]}\r\n\r\n".encode()
        for n in range(total)
    ]
    connections = [Connection(port) for _ in range(CONNECTIONS)]
    by_socket = {each.socket: each for each in connections}
    latencies: list[float] = []
    found = sent = turn = 0
    began = time.perf_counter() + 0.05
    late = 0.0
    while len(latencies) < total and time.perf_counter() < began + seconds + 5:
        now = time.perf_counter()
        ready = min(total, max(0, int((now - began) * rate)))
        if ready > sent:
            late = max(late, now - (began + sent / rate))
            share = -(-(ready - sent) // CONNECTIONS)
            while sent < ready:
                connection = connections[turn % CONNECTIONS]
                turn += 1
                until = min(ready, sent + share)
                connection.due.extend(began + n / rate for n in range(sent, until))
                connection.send(b"".join(requests[sent:until]))
                sent = until
        for readable in select.select(by_socket, (), (), TICK if sent < total else 0.05)[0]:
            connection = by_socket[readable]
            data = connection.rest + connection.socket.recv(262_144)
            now = time.perf_counter()
            whole = data.rfind(END) + len(END) if END in data else 0
            connection.rest = data[whole:]
            found += data.count(FOUND, 0, whole)
            for _ in range(data.count(END, 0, whole)):
                latencies.append(now - connection.due.popleft())
    latencies.sort()
    quantile = {
        q: round(1000 * latencies[min(len(latencies) - 1, int(q * len(latencies)))], 3)
        for q in (0.5, 0.95, 0.99, 0.999)
    }
    print(
        json.dumps(
            {
                "requests": total,
                "answers": len(latencies),
                "redirects": found,
                "rate": rate,
                "milliseconds": quantile,
                "largest_delay_of_the_client_ms": round(1000 * late, 3),
            }
        )
    )


main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))
