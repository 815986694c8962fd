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
from reference.platform.local import available, local_services
from reference.platform.local_service import ServiceSpec
from reference.platform.settings import Settings

SHARDS = ("shard-1", "shard-2", "shard-3")


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
    pool_url: str
    store_url: str
    shard_urls: dict[str, str]
    servers: dict[str, Server] = field(default_factory=dict)

    @classmethod
    def at(cls, urls: dict[str, str], servers: dict[str, Server] | None = None) -> "Services":
        """`urls`: by the names of the services."""
        others = {f"{name}_url": urls[name] for name in ("cache", "log", "pool", "store")}
        return cls(**others, shard_urls={name: urls[name] for name in SHARDS}, servers=servers or {})

    def settings(self, **more: object) -> Settings:
        names = ("cache_url", "log_url", "pool_url", "store_url", "shard_urls")
        return Settings(**{**{name: getattr(self, name) for name in names}, **more})


@pytest.fixture(scope="session")
def local_servers() -> Iterator[dict[str, Server]]:
    if (missing := available()) is not None:
        pytest.skip(missing)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        Path(folder).chmod(0o711)
        servers = {spec.name: Server(spec) for spec in local_services(Path(folder), SHARDS)}
        for server in servers.values():
            stack.callback(server.spec.lease.release)
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
        embedded = EmbeddedServices(Settings(shards=len(SHARDS)))
        ports = await embedded.start()
        schemes = {"store": "sqlite+tcp"} | dict.fromkeys(SHARDS, "sqlite+tcp")
        yield Services.at(
            {name: f"{schemes.get(name, 'redis')}://127.0.0.1:{port}" for name, port in ports.items()}
        )
        await embedded.stop()
    else:
        servers: dict[str, Server] = request.getfixturevalue("local_servers")
        await asyncio.gather(*(empty(server.spec.url) for server in servers.values()))
        yield Services.at({name: server.spec.url for name, server in servers.items()}, servers)


async def empty(url: str) -> None:
    if url.startswith("redis"):
        async with Redis.from_url(url, protocol=2) as redis:
            await redis.flushall()
    else:
        connection = await asyncpg.connect(url, ssl=False)
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.close()
