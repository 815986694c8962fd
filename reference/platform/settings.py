"""What a process is told when it starts (`Settings`) and what may be turned while it runs (`LiveSettings`).

The only module that reads the environment: `Settings()` takes WORKBENCH_CASE, WORKBENCH_PORT and so on.
A supervisor passes them as keywords instead; keywords win.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Case = Literal["url-shortener"]
Profile = Literal["embedded", "local"]


class LiveSettings(BaseModel):
    """Settings that a learner may turn while the stack runs. Every field has its bounds and its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cache_ttl: float = Field(
        default=3600.0, ge=1.0, le=604_800.0, description="seconds an entry of the cache may stay"
    )
    request_log_sample: float = Field(
        default=0.1, ge=0.0, le=1.0, description="share of the successful requests logged"
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
        """Such as "1.0 to 604800.0 (seconds an entry of the cache may stay)"."""
        schema = cls.model_json_schema()["properties"][name]
        return f"{schema['minimum']} to {schema['maximum']} ({schema['description']})"


class Settings(BaseSettings):
    """What one process needs to know. Times in seconds."""

    model_config = SettingsConfigDict(env_prefix="WORKBENCH_", frozen=True, extra="forbid")

    case: Case = "url-shortener"
    profile: Profile = "embedded"
    role: str = "app-1"
    servers: int = Field(default=3, ge=1, le=16)
    """App servers of the stack."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    """0: any free port. The services take `cache_port`, `log_port` and `store_port` instead."""
    cache_port: int = Field(default=0, ge=0, le=65535)
    log_port: int = Field(default=0, ge=0, le=65535)
    store_port: int = Field(default=0, ge=0, le=65535)
    data_dir: Path | None = None
    """Where the embedded store keeps its file."""

    public_url: str = "http://127.0.0.1"
    """What stands before a code in a short URL: the balancer, as clients see it."""
    cache_url: str = "redis://127.0.0.1:6379/0"
    log_url: str = "redis://127.0.0.1:6380/0"
    store_url: str = "sqlite+tcp://127.0.0.1:6381"
    """`sqlite+tcp://host:port` or `postgresql://user@host:port/database`."""

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

    live: LiveSettings = LiveSettings()
