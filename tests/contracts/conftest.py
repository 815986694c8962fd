"""The services that the contracts are checked over: the embedded ones, and real ones of this machine."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from reference.platform.embedded import EmbeddedServices
from reference.platform.local import ServiceSpec, available, local_services
from reference.platform.settings import Settings


@dataclass
class Server:
    """A real server, which can be killed and started again on its data."""

    spec: ServiceSpec
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        spec = self.spec
        as_user = {"user": spec.user, "group": group_of(spec.user), "extra_groups": []} if spec.user else {}
        self.process = subprocess.Popen(
            spec.argv,
            cwd=spec.cwd,
            env=spec.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **as_user,
        )
        deadline = time.monotonic() + 20
        while not spec.ready():
            assert time.monotonic() < deadline, f"{spec.name} does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


def group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


@dataclass
class Services:
    """Where the services of one test are. `servers`: the processes, empty if they are embedded."""

    cache_url: str
    log_url: str
    store_url: str
    servers: dict[str, Server] = field(default_factory=dict)

    def settings(self, **more: object) -> Settings:
        urls = {"cache_url": self.cache_url, "log_url": self.log_url, "store_url": self.store_url}
        return Settings(**{**urls, **more})


@pytest.fixture(scope="session")
def local_servers() -> Iterator[dict[str, Server]]:
    if (missing := available()) is not None:
        pytest.skip(missing)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        Path(folder).chmod(0o711)
        servers = {spec.name: Server(spec) for spec in local_services(Path(folder))}
        for server in servers.values():
            server.start()
            stack.callback(server.kill)
        yield servers


@pytest.fixture(params=["embedded", pytest.param("local", marks=pytest.mark.local)])
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def services(profile: str, request: pytest.FixtureRequest) -> AsyncIterator[Services | None]:
    """Services that hold nothing yet; None for the profile "memory" of those ports that have one."""
    if profile == "memory":
        yield None
    elif profile == "embedded":
        embedded = EmbeddedServices(Settings())
        ports = await embedded.start()
        yield Services(
            f"redis://127.0.0.1:{ports['cache']}/0",
            f"redis://127.0.0.1:{ports['log']}/0",
            f"sqlite+tcp://127.0.0.1:{ports['store']}",
        )
        await embedded.stop()
    else:
        servers: dict[str, Server] = request.getfixturevalue("local_servers")
        await asyncio.gather(*(empty(server.spec.url) for server in servers.values()))
        yield Services(*(servers[name].spec.url for name in ("cache", "log", "store")), servers)


async def empty(url: str) -> None:
    if url.startswith("redis"):
        async with Redis.from_url(url, protocol=2) as redis:
            await redis.flushall()
    else:
        connection = await asyncpg.connect(url, ssl=False)
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.close()
