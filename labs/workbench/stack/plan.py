"""What a stack is to consist of: its roles, the edges between them, their ports, and the configuration of each role."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from reference.build import Topology, build
from reference.platform.identity import administrator_token
from reference.platform.port_lease import PortLease
from reference.platform.settings import Settings
from reference.platform.topology import SQL_KINDS, entrance
from workbench.stack.request import Request


@dataclass(slots=True)
class Plan:
    """Ports are leased before anything starts and kept until the stack ends, so every URL holds over restarts."""

    request: Request
    topology: Topology
    data: Path
    kinds: dict[str, str] = field(default_factory=dict)
    ports: dict[str, PortLease] = field(default_factory=dict)
    edges: dict[str, PortLease] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    """service -> its own URL, past the network; those of the local profile are filled in as they are made"""
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """What the servers of this stack alone know; it goes to them and to nobody else."""

    @classmethod
    def make(cls, request: Request, data: Path) -> Plan:
        """ValueError: no such case, a wrong setting."""
        asked = {"case": request.case, "profile": request.profile, "servers": request.servers}
        settings = Settings(**request.settings | asked)
        plan = cls(request, build(request.case, settings), data)
        for role in plan.topology.roles:
            if role.is_service:
                if request.profile == "embedded":
                    plan.ports[role.name] = PortLease()
                    scheme = "sqlite+tcp" if role.kind in SQL_KINDS else "redis"
                    plan.urls[role.name] = f"{scheme}://127.0.0.1:{plan.ports[role.name].port}"
                else:
                    plan.kinds[role.name] = "service"
            else:
                plan.kinds[role.name] = role.kind
                plan.ports[role.name] = PortLease()
        for edge in plan.topology.edges:
            if edge.target not in plan.kinds or plan.kinds[edge.target] == "service":
                plan.edges[edge.name] = PortLease()
        plan.kinds["network"] = "network"
        if request.profile == "embedded":
            plan.kinds["services"] = "services"
        return plan

    def take(self, service: str, url: str, lease: PortLease) -> None:
        """A service of the local profile serves at `url`: its port is kept for it like any other."""
        self.urls[service] = url
        self.ports[service] = lease

    def release(self) -> None:
        for lease in (*self.ports.values(), *self.edges.values()):
            lease.release()

    @property
    def apps(self) -> list[str]:
        return [role for role, kind in self.kinds.items() if kind == "app"]

    @property
    def holders(self) -> dict[str, tuple[str, ...]]:
        """The roles that hold components: name -> their slots."""
        return {role.name: role.slots for role in self.topology.roles if role.slots}

    @property
    def shards(self) -> list[str]:
        return [role.name for role in self.topology.roles if role.kind == "shard"]

    @property
    def url(self) -> str:
        """What clients call."""
        return self.url_of(entrance(self.topology.roles))

    def url_of(self, role: str) -> str:
        return f"http://127.0.0.1:{self.ports[role].port}"

    @property
    def admin_token(self) -> str:
        return administrator_token(str(self.request.settings.get("secret", self.secret)))

    def observers(self) -> dict[str, str]:
        """The URL of each that watches the stack, by name."""
        return {}

    def service_ports(self) -> dict[str, int]:
        return {service: urlsplit(url).port or 0 for service, url in self.urls.items()}

    def backends(self) -> dict[str, int]:
        return {role: self.ports[role].port for role in self.apps}

    def config(self, role: str) -> dict[str, Any]:
        """The first line that the child gets: its settings, or for the network the port of each edge."""
        if role == "network":
            return {"network": {"edges": {edge: lease.port for edge, lease in self.edges.items()}}}
        settings: dict[str, Any] = {"secret": self.secret} | self.request.settings
        settings |= {
            "case": self.request.case,
            "profile": self.request.profile,
            "role": role,
            "servers": self.request.servers,
            "public_url": self.url,
            "data_dir": str(self.data),
        }
        settings |= self._service_urls(role)
        if role in self.ports:
            settings["port"] = self.ports[role].port
        if role == "balancer":
            settings["backends"] = self.backends()
        if role == "edge":
            settings["upstream_url"] = self.url_of("balancer")
        if role == "services":
            settings["service_ports"] = self.service_ports()
        return {"settings": settings}

    def _service_urls(self, role: str) -> dict[str, Any]:
        """Where this role finds the services: at the proxies of its edges."""
        start = f"{role}->"
        urls = {
            (service := edge.removeprefix(start)): at_port(self.urls[service], lease.port)
            for edge, lease in self.edges.items()
            if edge.startswith(start)
        }
        shards = {service: urls.pop(service) for service in self.shards if service in urls}
        return {f"{service}_url": url for service, url in urls.items()} | {"shard_urls": shards}

    def edges_of(self, target: str) -> list[str]:
        """The edges that a fault's target means: an edge, all edges to a service, or all from a role. `shards` stands
        for all shards, in `app-1->shards` too."""
        source, arrow, service = target.rpartition("->")
        targets = {f"{source}{arrow}{shard}" for shard in self.shards} if service == "shards" else {target}
        found = [edge for edge in self.edges if targets & {edge, *edge.split("->")}]
        if not found:
            known = ", ".join([*self.urls, "shards", *self.edges])
            raise ValueError(f"no such service or edge: {target!r}; there are {known}")
        return found


def at_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port}"))
