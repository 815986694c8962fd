"""What Compose is told besides compose.yaml: ports that lead in, settings, and perhaps one more shard."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reference.build import build
from reference.platform.identity import administrator_token
from reference.platform.port_lease import PortLease
from reference.platform.settings import Settings
from workbench.stack.containers.engine import COMPOSE, Engine
from workbench.stack.plan import Plan
from workbench.stack.request import Request

SERVERS = 3
CONTAINERS = {"log": "kafka"}
"""Of roles whose container has another name: in this profile the log is Kafka."""

OURS = ("app", "consumer", "keeper")
"""Kinds of role that are processes of ours in a container."""

OBSERVERS = ("prometheus", "alertmanager")

DOORS = "door->"
"""The names of proxies by which whoever steers the stack gets in; the edge has a port of its own."""

NETWORK_API = 8474


@dataclass(slots=True)
class ComposePlan(Plan):
    """`ports`: of this machine, by role, and by service for those that a door leads to. `environment`: for
    compose.yaml. `file`: what is added to it."""

    project: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    file: Path = Path()

    @classmethod
    def make(cls, request: Request, data: Path) -> ComposePlan:
        """ValueError: what this profile cannot be asked for."""
        if request.servers != SERVERS:
            raise ValueError(f"the profile compose has {SERVERS} servers, not {request.servers}")
        asked = (
            {"edge": True}
            | request.settings
            | {"case": request.case, "profile": "compose", "servers": SERVERS}
        )
        settings = Settings(**asked)
        for name, only in (("edge", (True,)), ("keepers", (1,)), ("shards", (3,)), ("spare_shards", (0, 1))):
            if getattr(settings, name) not in only:
                choice = " or ".join(str(value) for value in only)
                raise ValueError(f"the profile compose has {name} = {choice}, not {getattr(settings, name)}")
        plan = cls(request, build(request.case, settings), data)
        plan.project = project_name(request.name)
        for role in plan.topology.roles:
            plan.kinds[role.name] = "service" if role.is_service else role.kind
        plan.kinds["network"] = "network"
        watching = OBSERVERS if request.observability else ()
        for name in (*plan.kinds, "https", *watching):
            plan.ports[name] = PortLease()
        plan.edges = {
            edge.name: plan.ports["network"] for edge in plan.topology.edges if edge.target in plan.services
        }
        if "secret" not in request.settings:
            plan.secret = secret("workbench_secret")
        password = secret("workbench_database_password")
        for name in plan.services:
            port = plan.ports[name].port
            if name in ("cache", "pool"):
                plan.urls[name] = f"redis://127.0.0.1:{port}/0"
            elif name == "log":
                plan.urls[name] = f"kafka://127.0.0.1:{port}/clicks"
            else:
                plan.urls[name] = f"postgresql://workbench:{password}@127.0.0.1:{port}/workbench"
        return plan

    @property
    def services(self) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind == "service"]

    @property
    def profiles(self) -> list[str]:
        """Compose's."""
        return [self.request.case, *(["observability"] if self.request.observability else [])]

    def observers(self) -> dict[str, str]:
        return {name: self.url_of(name) for name in OBSERVERS if name in self.ports}

    @property
    def admin_token(self) -> str:
        return administrator_token(str(self.request.settings.get("secret", self.secret)))

    def container(self, role: str) -> str:
        return f"{self.project}-{CONTAINERS.get(role, role)}-1"

    def write(self, engine: Engine, folder: Path) -> None:
        """The file that is added, and the environment. Chooses a subnet that no network of the engine has."""
        free = sorted(
            {f"10.213.{n}" for n in range(100, 200)} - {net.rpartition(".")[0] for net in engine.subnets()}
        )
        if not free:
            raise ValueError("there are a hundred stacks in containers already")
        subnet = random.SystemRandom().choice(free)
        self.environment = {
            "SUBNET": subnet,
            "HTTP_PORT": str(self.ports["edge"].port),
            "HTTPS_PORT": str(self.ports["https"].port),
            "PUBLIC_URL": self.url,
        }
        for name in self.observers():
            self.environment[f"{name.upper()}_PORT"] = str(self.ports[name].port)
        self.file = folder / "compose.json"
        self.file.write_text(json.dumps(self.added(subnet), indent=1), "utf-8")

    def doors(self) -> dict[str, tuple[int, int]]:
        """By role: the port of `network` that leads to it, and the port of this machine that leads there."""
        inside = {each["name"]: int(each["listen"].rpartition(":")[2]) for each in edges()} | {
            f"{DOORS}network": NETWORK_API
        }
        return {
            role: (inside[f"{DOORS}{role}"], self.ports[role].port)
            for role in self.kinds
            if f"{DOORS}{role}" in inside
        }

    def added(self, subnet: str) -> dict[str, Any]:
        ports = [f"127.0.0.1:{ours}:{inside}" for inside, ours in self.doors().values()]
        # Whoever steers the stack starts again what has ended, and says so; the engine is to leave that alone.
        services: dict[str, Any] = {CONTAINERS.get(name, name): {"restart": "no"} for name in self.kinds}
        services["network"] |= {"networks": {"out": {}}, "ports": ports}
        spare = self.topology.settings.spare_shards
        for role, kind in self.kinds.items():
            if kind in OURS:
                services[role]["environment"] = self.told(role, spare)
        services["migrate"] = {"environment": self.told("migrate", spare)}
        if not spare:
            return {"services": services}
        services["shard-4"] |= {
            "extends": {"file": str(COMPOSE / "compose.yaml"), "service": "shard-3"},
            "networks": {"back": {"ipv4_address": f"{subnet}.34"}},
            "volumes": ["shard-4:/var/lib/postgresql/data"],
        }
        services["migrate"]["depends_on"] = {"shard-4": {"condition": "service_healthy"}}
        return {"services": services, "volumes": {"shard-4": {}}}

    def told(self, role: str, spare: int) -> dict[str, str]:
        """The environment of a process of ours: the settings that were asked for."""
        live = {"balancing": "least-outstanding"} | dict(self.request.settings.get("live", {}))
        told = {name: value for name, value in self.request.settings.items() if name != "edge"} | {
            "live": live
        }
        if spare:
            told["shard_urls"] = {shard: self.shard_url(role, shard) for shard in self.shards}
        return {
            f"WORKBENCH_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for name, value in told.items()
            if name != "shard_urls" or role != "consumer"
        }

    def shard_url(self, role: str, shard: str) -> str:
        proxied = {each["name"]: each["listen"].rpartition(":")[2] for each in edges()}
        where = f"network:{proxied[f'{role}->{shard}']}" if f"{role}->{shard}" in proxied else f"{shard}:5432"
        return f"postgresql://workbench@{where}/workbench"


def edges() -> list[dict[str, Any]]:
    """The proxies of `network`, as it is told of them."""
    found: list[dict[str, Any]] = json.loads((COMPOSE / "network/edges.json").read_text("utf-8"))
    return found


def secret(name: str) -> str:
    """Of this installation. ValueError: `make images` has not been run."""
    try:
        return (COMPOSE / "secrets" / name).read_text("utf-8")
    except OSError as error:
        raise ValueError(f"there is no secret {name} yet: run `make images` once") from error


def project_name(stack: str) -> str:
    """A stack's name, as Compose takes it: small letters, digits, '-' and '_'."""
    return "workbench-" + re.sub(r"[^a-z0-9_-]", "-", stack.lower())
