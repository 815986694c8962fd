"""The one composition root: which processes a case has, what each is made of, and who talks to whom.

topology = build("url-shortener", Settings())
print(topology.mermaid())
server = topology.runnable("app-1")      # or: runnable("app", Settings(role="app-1", cache_url=...))
await server.start()

What a kind of process is made of stands in the module of that name beside this one. It is imported when such a process
is made and not before: a balancer needs neither a web framework nor a database driver, and starts sooner without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reference.platform.process import ComponentFactory, EventSink, Runnable, ignore_events
from reference.platform.settings import Settings
from reference.platform.topology import Edge, Role, draw

Make = Callable[[Settings, EventSink, Mapping[str, ComponentFactory]], Runnable]

CODE_SLOTS = tuple(f"url-shortener/{n}" for n in ("base62", "hash-codes", "snowflake-codes", "key-pool"))
HOLDS: dict[str, tuple[str, ...]] = {
    "app": (*CODE_SLOTS, "url-shortener/redirect-cache", "url-shortener/shard-router"),
    "consumer": ("url-shortener/click-aggregator",),
    "keeper": ("url-shortener/base62", "url-shortener/key-pool"),
}
"""By kind of process: the slots whose components it holds."""

SLOTS: tuple[str, ...] = (*HOLDS["app"], *HOLDS["consumer"])
"""Every place where a learner's component can go."""


@dataclass(frozen=True, slots=True)
class Topology:
    """A case as it will run: its roles, the edges between them, and how to make what runs in a role."""

    case: str
    settings: Settings
    roles: tuple[Role, ...]
    edges: tuple[Edge, ...]
    replace: Mapping[str, ComponentFactory] = field(default_factory=dict)

    def role(self, name: str) -> Role:
        """The role of that name; KeyError if there is none."""
        for role in self.roles:
            if role.name == name:
                return role
        raise KeyError(f"no role {name!r}; there are: {', '.join(role.name for role in self.roles)}")

    def mermaid(self, states: Mapping[str, str] | None = None) -> str:
        """The picture, as Mermaid text. `states`: role or edge name to a state ("up", "down", "paused",
        "slow", "cut", ...); whatever is not "up" is drawn so that it shows without colour too."""
        return draw(self.roles, self.edges, states or {})

    def runnable(
        self, name: str, settings: Settings | None = None, events: EventSink = ignore_events
    ) -> Runnable:
        """What runs in the role `name`, with the topology's settings unless others are given.

        ValueError: a service, which has no process of its own in every profile; see `runnable("services", ...)`."""
        role = self.role(name)
        if role.is_service:
            raise ValueError(f"{name} is a service: make them all with kind 'services'")
        told = (settings or self.settings).model_copy(update={"role": name})
        return runnable(role.kind, told, events, self.replace)


def build(case: str, settings: Settings, replace: Mapping[str, ComponentFactory] | None = None) -> Topology:
    """The topology of `case`. `replace`: slot to the factory of the component that takes its place.

    ValueError: no such case, or no such slot."""
    unknown = set(replace or {}) - set(SLOTS)
    if unknown:
        raise ValueError(f"no slot {', '.join(sorted(unknown))}; there are: {', '.join(SLOTS)}")
    if case != "url-shortener":
        raise ValueError(f"no case {case!r}; there is: url-shortener")
    roles, edges = url_shortener(settings)
    return Topology(case, settings, tuple(roles), tuple(edges), dict(replace or {}))


def url_shortener(settings: Settings) -> tuple[list[Role], list[Edge]]:
    """Its roles, in the order of a request's way, and its edges."""
    apps = [f"app-{n}" for n in range(1, settings.servers + 1)]
    keepers = [f"keeper-{n}" for n in range(1, settings.keepers + 1)]
    shards = settings.every_shard
    roles = [
        *([Role("edge", "edge")] if settings.edge else []),
        Role("balancer", "balancer"),
        *(Role(app, "app", HOLDS["app"]) for app in apps),
        Role("consumer", "consumer", HOLDS["consumer"]),
        *(Role(keeper, "keeper", HOLDS["keeper"]) for keeper in keepers),
        *(Role(service, service) for service in ("cache", "log", "pool", "store")),
        *(Role(shard, "shard") for shard in shards),
    ]
    edges = [
        *([Edge("edge", "balancer", "HTTP")] if settings.edge else []),
        *(Edge("balancer", app, "HTTP") for app in apps),
        *(Edge(app, "cache", "redirects") for app in apps),
        *(Edge(app, shard, "links") for app in apps for shard in shards),
        *(Edge(app, "log", "clicks") for app in apps),
        *(Edge(app, "pool", "codes") for app in apps),
        *(Edge(app, "store", "accounts, leases") for app in apps),
        Edge("consumer", "log", "clicks"),
        Edge("consumer", "store", "counts"),
        *(Edge(keeper, "pool", "codes") for keeper in keepers),
        *(Edge(keeper, "store", "leases, routing") for keeper in keepers),
        *(Edge(keeper, shard, "moves, purges") for keeper in keepers for shard in shards),
    ]
    return roles, edges


def runnable(
    kind: str,
    settings: Settings,
    events: EventSink = ignore_events,
    replace: Mapping[str, ComponentFactory] | None = None,
) -> Runnable:
    """What runs in a process of that kind. Connects to nothing until `start`. ValueError: no such kind."""
    return factory(kind)(settings, events, replace or {})


def factory(kind: str) -> Make:
    """What makes a process of that kind, with all that it needs imported. ValueError: no such kind."""
    match kind:
        case "app":
            from reference.build.app import app_server as make
        case "consumer":
            from reference.build.consumer import consumer as make
        case "keeper":
            from reference.build.keeper import keeper as make
        case "balancer":
            from reference.build.front import balancer as make
        case "edge":
            from reference.build.front import edge as make
        case "services":
            from reference.build.services import services as make
        case _:
            kinds = "app, consumer, keeper, balancer, edge, services"
            raise ValueError(f"no kind of process {kind!r}; there are: {kinds}")
    return make
