"""The picture of a stack, read from what runs: the containers' own environment, nginx's file, Toxiproxy's proxies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from reference.build import HOLDS, Topology
from reference.platform.topology import Edge, Role
from workbench.stack.containers.engine import Engine
from workbench.stack.containers.plan import CONTAINERS, OURS

ROLES = {container: role for role, container in CONTAINERS.items()}
SERVER = re.compile(r"^\s*server\s+([a-z0-9-]+):\d+", re.MULTILINE)
KINDS = {f"WORKBENCH_{kind.upper()}_URL": kind for kind in ("cache", "log", "pool", "store")}
CALLS = {
    "app": ("cache", "log", "pool", "store", "shard"),
    "consumer": ("log", "store"),
    "keeper": ("pool", "store", "shard"),
}
"""By kind of process: the kinds of service that it opens connections to. Its environment may name more."""


@dataclass(frozen=True, slots=True)
class Observed:
    roles: tuple[Role, ...]
    edges: tuple[Edge, ...]

    def named_like(self, planned: Topology) -> Topology:
        """In the order of the plan, and with its labels, where it knows them."""
        order = {role.name: number for number, role in enumerate(planned.roles)}
        labels = {edge.name: edge.label for edge in planned.edges}
        places = {name: number for number, name in enumerate(labels)}
        roles = sorted(self.roles, key=lambda role: order.get(role.name, len(order)))
        edges = [Edge(edge.source, edge.target, labels.get(edge.name, "")) for edge in self.edges]
        edges.sort(key=lambda edge: places.get(edge.name, len(places)))
        return replace(planned, roles=tuple(roles), edges=tuple(edges))


def observed(engine: Engine, project: str, proxied: Mapping[str, Mapping[str, Any]]) -> Observed:
    """`proxied`: by name, as Toxiproxy tells of them."""
    running = {
        each["Config"]["Labels"]["com.docker.compose.service"]: each
        for each in engine.of_project(project)
        if each["State"]["Running"]
    }
    proxies = _proxies(proxied)
    roles: dict[str, Role] = {}
    edges: list[Edge] = []
    for name, container in running.items():
        command = container["Config"]["Cmd"] or []
        if command and command[0] in OURS and container["Config"]["Entrypoint"]:
            kind = command[0]
            roles[name] = Role(name, kind, HOLDS[kind])
            for service, service_kind in _called(container, proxies):
                if service_kind in CALLS[kind]:
                    roles.setdefault(service, Role(service, service_kind))
                    edges.append(Edge(name, service))
        elif command and command[0] == "nginx":
            asked = dict.fromkeys(SERVER.findall(engine.read(container["Id"], "/etc/nginx/nginx.conf")))
            roles[name] = Role(name, "edge" if "balancer" in asked else "balancer")
            edges += [Edge(name, upstream) for upstream in asked]
    return Observed(tuple(roles.values()), tuple(edges))


def _proxies(proxied: Mapping[str, Mapping[str, Any]]) -> dict[int, str]:
    """By port of `network`: the service that the proxy there leads to, as a role."""
    found = {}
    for each in proxied.values():
        service = each["upstream"].partition(":")[0]
        found[int(each["listen"].rpartition(":")[2])] = ROLES.get(service, service)
    return found


def _called(container: dict[str, Any], proxies: dict[int, str]) -> list[tuple[str, str]]:
    """The services that a process is told of, each with its kind."""
    told = dict(line.partition("=")[::2] for line in container["Config"]["Env"])
    urls = [(url, kind) for variable, kind in KINDS.items() if (url := told.get(variable))]
    urls += [(url, "shard") for url in json.loads(told.get("WORKBENCH_SHARD_URLS", "{}")).values()]
    found = []
    for url, kind in urls:
        parts = urlsplit(url)
        host = parts.hostname or ""
        service = proxies.get(parts.port or 0, "?") if host == "network" else ROLES.get(host, host)
        found.append((service, kind))
    return found
