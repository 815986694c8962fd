"""What the API takes, as JSON; what it gives: `answers`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from reference.shortener import targets
from reference.shortener.aliases import LONGEST, SHORTEST

DEFAULT_YEARS, MOST_YEARS = 5, 100


class Request(BaseModel):
    """A body. Fields that are not there are refused, and so are numbers where text is wanted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ShortenRequest(Request):
    long_url: str = Field(
        min_length=1,
        max_length=targets.URL_LIMIT,
        description="Where the link leads: http or https, not back to this service.",
        examples=["https://example.org/a/long/path?q=1"],
        json_schema_extra={"pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"},
    )
    custom_alias: str | None = Field(
        default=None,
        description=f"The code that you want: {SHORTEST} to {LONGEST} of 0-9, A-Z, a-z, _ and -; not seven letters and "
        "digits, which is what made codes look like. One that looks like somebody's is taken, too.",
        examples=["my-link"],
    )
    expiry: str | None = Field(
        default=None,
        max_length=40,
        description="An ISO date, at whose beginning (UTC) the link ends, or an ISO instant; without an offset: UTC. "
        f"At most {MOST_YEARS} years ahead; by default {DEFAULT_YEARS}.",
        examples=["2031-01-01"],
    )

    @field_validator("long_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        targets.address_of(url)
        return url

    @field_validator("expiry")
    @classmethod
    def _is_instant(cls, text: str | None) -> str | None:
        if text is not None:
            parse_instant(text)
        return text

    def expires_at(self, now: float) -> float:
        """POSIX seconds. ValueError unless it lies ahead, but not too far."""
        begin = datetime.fromtimestamp(int(now), UTC)
        if self.expiry is None:
            return years_after(begin, DEFAULT_YEARS).timestamp()
        end = parse_instant(self.expiry)
        if end.timestamp() <= now:
            raise ValueError("must lie in the future")
        if end > years_after(begin, MOST_YEARS):
            raise ValueError(f"must lie within the next {MOST_YEARS} years")
        return end.timestamp()


class NewPrincipal(Request):
    name: str = Field(min_length=1, max_length=100, examples=["Ada"])
    role: Literal["user", "admin"] = "user"

    @field_validator("name")
    @classmethod
    def _is_text(cls, name: str) -> str:
        return storable(name)


class NewTokenRequest(Request):
    label: str = Field(default="", max_length=100, description="What it is for.", examples=["laptop"])

    @field_validator("label")
    @classmethod
    def _is_text(cls, label: str) -> str:
        return storable(label)


class BlockRequest(Request):
    reason: str = Field(default="", max_length=200, examples=["phishing"])

    @field_validator("reason")
    @classmethod
    def _is_text(cls, reason: str) -> str:
        return storable(reason)


def storable(text: str) -> str:
    """ValueError unless every database can hold `text`, and a person read it in one line."""
    if not all(character.isprintable() for character in text):
        raise ValueError("no control characters, and nothing that cannot be printed")
    return text


def parse_instant(text: str) -> datetime:
    """ValueError unless `text` is an ISO date or instant."""
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        instant = datetime.fromisoformat(text)
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return instant.astimezone(UTC)  # OverflowError on the first or last day of time
    except (ValueError, OverflowError):
        raise ValueError("neither an ISO date nor an ISO instant") from None


def years_after(begin: datetime, years: int) -> datetime:
    try:
        return begin.replace(year=begin.year + years)
    except ValueError:  # the 29th of February
        return begin.replace(year=begin.year + years, day=28)
