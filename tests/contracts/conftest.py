"""The services that the contracts are checked over: the embedded ones, real ones of this machine, and containers."""

import asyncio
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from workbench.stack.containers.engine import missing

from compose.project import COMPOSE, Project, free_ports
from reference.platform import event_log
from reference.platform.embedded import EmbeddedServices
from reference.platform.local import available, local_services
from reference.platform.local_service import ServiceSpec
from reference.platform.settings import Settings
from tests import worker

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


@dataclass
class Container:
    """A service of the compose profile: the same, with a name instead of a process."""

    project: Project
    service: str

    def start(self) -> None:
        self.project.start(self.service)

    def kill(self) -> None:
        self.project.kill(self.service)


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
    servers: Mapping[str, Server | Container] = field(default_factory=dict)

    @classmethod
    def at(
        cls, urls: Mapping[str, str], servers: Mapping[str, Server | Container] | None = None
    ) -> "Services":
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


@pytest.fixture(scope="session")
def containers() -> Iterator[tuple[Project, dict[str, str]]]:
    """A project of services that hold nothing, and the URL of each; that of the log is without a topic."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    names = ("cache", "log", "pool", "store", *SHARDS, "kafka")
    variables = {name: f"{name.upper().replace('-', '_')}_PORT" for name in names}
    environment = free_ports(variables.values())
    ports = {name: environment[variable] for name, variable in variables.items()}
    project = Project(
        f"workbench-contracts-{worker.number()}",
        subnet=f"10.213.{232 + worker.number()}",
        environment=environment,
        files=[Path(__file__).parents[1] / "compose/services.yaml"],
    )
    password = (COMPOSE / "secrets/workbench_database_password").read_text("utf-8")
    urls = {name: f"redis://127.0.0.1:{ports[name]}/0" for name in ("cache", "pool")}
    urls |= {
        name: f"postgresql://workbench:{password}@127.0.0.1:{ports[name]}/workbench"
        for name in ("store", *SHARDS)
    }
    urls["log"] = f"kafka://127.0.0.1:{ports['kafka']}"
    with project.running(*names):
        yield project, urls


COMPOSE_LANE = (pytest.mark.slow, pytest.mark.compose)


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("local", marks=pytest.mark.local),
        pytest.param("compose", marks=COMPOSE_LANE),
    ]
)
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
    elif profile == "compose":
        project, urls = request.getfixturevalue("containers")
        await asyncio.gather(*(empty(url) for url in urls.values() if not url.startswith("kafka")))
        urls = urls | {"log": f"{urls['log']}/events-{uuid.uuid4().hex[:12]}"}  # a topic of its own
        log = event_log.connect(urls["log"], Settings().partitions, 5.0)
        await log.create()
        await log.close()
        held = {name: Container(project, "kafka" if name == "log" else name) for name in urls}
        yield Services.at(urls, held)
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
