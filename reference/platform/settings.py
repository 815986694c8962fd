"""What a process is told when it starts (`Settings`) and what may be turned while it runs (`LiveSettings`).

The only module that reads the environment: `Settings()` takes WORKBENCH_CASE, WORKBENCH_PORT and so on.
A supervisor passes them as keywords instead; keywords win. `Settings.in_container()` takes files of secrets as well.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from reference.platform.tracing import LOOPBACK

Case = Literal["url-shortener"]
Profile = Literal["embedded", "local", "compose"]


class LiveSettings(BaseModel):
    """Settings that a learner may turn while the stack runs. Every field has its bounds and its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cache_ttl: float = Field(
        default=3600.0, ge=1.0, le=604_800.0, description="seconds an entry of the cache may stay"
    )
    request_log_sample: float = Field(
        default=0.1, ge=0.0, le=1.0, description="share of the successful requests logged"
    )
    code_strategy: Literal["random", "hash", "snowflake", "pool"] = Field(
        default="random", description="how new short codes are made"
    )
    redirect_status: Literal[301, 302] = Field(
        default=302,
        description="status of a redirect: 301 may be kept by browsers, 302 is asked for each time",
    )
    redirect_max_age: float = Field(
        default=0.0,
        ge=0.0,
        le=2.0,
        description="seconds that browsers and the edge may keep a redirect; 0: none, Cache-Control says no-store",
    )
    edge_ttl: float = Field(
        default=0.0,
        ge=0.0,
        le=3600.0,
        description="seconds that the edge keeps a redirect, whatever its Cache-Control says; 0: as that says",
    )
    balancing: Literal["round-robin", "least-outstanding", "by-key"] = Field(
        default="round-robin", description="how the balancer chooses a server"
    )
    fast_path: bool = Field(
        default=True, description="whether servers answer hot redirects on their fast path"
    )
    shorten_limit: float = Field(
        default=0.0,
        ge=0.0,
        le=1e6,
        description="links a minute that one principal or address may make; 0: no limit",
    )
    max_in_flight: int = Field(
        default=256, ge=1, le=100_000, description="requests that a server works on at once"
    )
    max_queue: int = Field(
        default=512, ge=0, le=100_000, description="requests that wait for a turn; more are answered with 503"
    )

    def with_value(self, name: str, value: Any) -> LiveSettings:
        """A copy in which `name` is `value`. ValueError, with the allowed range, if that cannot be."""
        if name not in type(self).model_fields:
            raise ValueError(f"no live setting {name!r}; there are: {', '.join(type(self).model_fields)}")
        try:
            return type(self).model_validate(self.model_dump() | {name: value})
        except ValidationError as error:
            raise ValueError(f"{name} = {value!r} is not allowed: {self.range_of(name)}") from error

    @classmethod
    def range_of(cls, name: str) -> str:
        """Such as "1.0 to 604800.0 (seconds an entry of the cache may stay)" or "301 or 302 (...)"."""
        schema = cls.model_json_schema()["properties"][name]
        if "enum" in schema:
            values = " or ".join(str(value) for value in schema["enum"])
        elif schema["type"] == "boolean":
            values = "True or False"
        else:
            values = f"{schema['minimum']} to {schema['maximum']}"
        return f"{values} ({schema['description']})"


class Settings(BaseSettings):
    """What one process needs to know. Times in seconds."""

    model_config = SettingsConfigDict(env_prefix="WORKBENCH_", frozen=True, extra="forbid")

    case: Case = "url-shortener"
    profile: Profile = "embedded"
    role: str = "app-1"
    servers: int = Field(default=3, ge=1, le=16)
    """App servers of the stack."""
    keepers: int = Field(default=1, ge=0, le=8)
    """Processes for the work that nobody waits for: key generation, purge, retention, re-sharding."""
    shards: int = Field(default=3, ge=1, le=16)
    """Shards that hold the links at first."""
    spare_shards: int = Field(default=0, ge=0, le=8)
    """Shards that stand ready, empty, for a re-shard."""
    edge: bool = False
    """Whether an edge cache stands before the balancer."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    """0: any free port. The embedded services take `service_ports` instead."""
    service_ports: dict[str, int] = Field(default_factory=dict)
    """Of the embedded services, by name: cache, log, pool, store, shard-1, ...; one that is not named gets any."""
    linger: float = Field(default=0.0, ge=0.0, le=60.0)
    """Of an app server that drains, for a balancer that is not told: see `HttpServer`."""
    data_dir: Path | None = None
    """Where the embedded stores keep their files."""

    public_url: str = "http://127.0.0.1"
    """What stands before a code in a short URL: the balancer, as clients see it."""
    cache_url: str = "redis://127.0.0.1:6379/0"
    log_url: str = "redis://127.0.0.1:6380/0"
    """`redis://host:port/db`, or `kafka://host:port/topic`."""
    pool_url: str = "redis://127.0.0.1:6382/0"
    """The key pool: codes that were generated beforehand."""
    store_url: str = "sqlite+tcp://127.0.0.1:6381"
    """What all servers share beside the links: accounts, routing, leases, counts. `sqlite+tcp://host:port` or
    `postgresql://user@host:port/database`."""
    shard_urls: dict[str, str] = Field(default_factory=dict)
    """The stores of links, in use or spare: name to URL, as for `store_url`."""
    database_password: str = Field(default="", repr=False)
    """For those of these URLs that name a user and no password."""

    allowed_hosts: tuple[str, ...] = ()
    """Hosts that servers answer for, besides that of the public URL and this machine's own; "*": any."""

    traced_from: tuple[str, ...] = LOOPBACK
    """Networks from which a request may ask to be traced, such as "10.213.0.0/16"."""

    secret: str = "not a secret: give the servers of a stack one"
    """From which the servers of one stack derive delete tokens, keys of permutations and the administrator's token."""

    code_length: int = Field(default=7, ge=1, le=16)
    """Of new short codes. With one character somebody can ask for every code there is: for experiments."""

    cache_timeout: float = Field(default=0.25, gt=0)
    store_timeout: float = Field(default=1.0, gt=0)
    log_timeout: float = Field(default=1.0, gt=0)
    click_buffer: int = Field(default=1000, ge=1)
    """Click events in the memory of one server at most, those under way to the log included: the stated
    batch, which is what a killed server may lose."""
    partitions: int = Field(default=4, ge=1, le=64)
    """Of the event log. Fixed for the life of the log."""

    backends: dict[str, int] = Field(default_factory=dict)
    """The balancer's first servers: name to port."""
    upstream_url: str = "http://127.0.0.1:8080"
    """What an edge cache asks for all that it does not have: the balancer."""

    live: LiveSettings = LiveSettings()

    @classmethod
    def in_container(cls, secrets: Path = Path("/run/secrets")) -> Settings:
        """From the environment, and for what is in none, from files such as `workbench_secret` in `secrets`."""
        return cls(_secrets_dir=secrets) if secrets.is_dir() else cls()  # type: ignore[call-arg]

    @model_validator(mode="before")
    @classmethod
    def _with_password(cls, told: Any) -> Any:
        if isinstance(told, dict) and (password := told.get("database_password")):
            urls = told.get("shard_urls") or {}
            told = told | {"shard_urls": {name: with_password(url, password) for name, url in urls.items()}}
            if "store_url" in told:
                told["store_url"] = with_password(told["store_url"], password)
        return told

    @property
    def first_shards(self) -> list[str]:
        """The names of the shards that hold the links at first."""
        return [f"shard-{n}" for n in range(1, self.shards + 1)]

    @property
    def every_shard(self) -> list[str]:
        """Those, and the spare ones."""
        return [f"shard-{n}" for n in range(1, self.shards + self.spare_shards + 1)]


class _Default(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="WORKBENCH_")

    profile: str = "embedded"


def default_profile() -> str:
    """Of a stack for which none was named: WORKBENCH_PROFILE, else `embedded`."""
    return _Default().profile


def with_password(url: str, password: str) -> str:
    """`scheme://user@host/...` with that password; any other URL as it is."""
    parts = urlsplit(url)
    if not parts.username or parts.password is not None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username}:{quote(password, safe='')}@{host}").geturl()
