"""What the API takes and gives, as JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from reference.shortener.repository import LinkRecord
from reference.shortener.service import Created, is_one_line

URL_LIMIT = 2048
DEFAULT_YEARS = 5


class ShortenRequest(BaseModel):
    """The body of POST /api/v1/shorten. Fields that are not here are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    long_url: str = Field(max_length=URL_LIMIT)
    expiry: str | None = None
    """An ISO date, at whose beginning (UTC) the link ends, or an ISO instant; without an offset: UTC."""

    @field_validator("long_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        if not is_one_line(url):
            raise ValueError("a URL has neither spaces nor control characters")
        parts = urlsplit(url)
        if parts.scheme.lower() not in ("http", "https"):
            raise ValueError("only http and https")
        if not parts.hostname:
            raise ValueError("a URL needs a host")
        _ = parts.port  # raises ValueError unless it is a number below 65536
        return url

    @field_validator("expiry")
    @classmethod
    def _is_instant(cls, text: str | None) -> str | None:
        if text is not None:
            parse_instant(text)
        return text

    def expires_at(self, now: float) -> float:
        """POSIX seconds. The default: five years from now, to the second."""
        if self.expiry is not None:
            return parse_instant(self.expiry).timestamp()
        begin = datetime.fromtimestamp(int(now), UTC)
        try:
            return begin.replace(year=begin.year + DEFAULT_YEARS).timestamp()
        except ValueError:  # the 29th of February
            return begin.replace(year=begin.year + DEFAULT_YEARS, day=28).timestamp()


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


def instant(seconds: float) -> str:
    """POSIX seconds as an ISO instant, such as 2031-11-21T08:00:00Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def created(link: Created, public_url: str) -> dict[str, Any]:
    return {
        "code": link.code,
        "short_url": f"{public_url}/{link.code}",
        "long_url": link.long_url,
        "expires_at": instant(link.expires_at),
        "delete_token": link.delete_token,
    }


def statistics(stats: LinkRecord, public_url: str) -> dict[str, Any]:
    return {
        "code": stats.code,
        "short_url": f"{public_url}/{stats.code}",
        "long_url": stats.long_url,
        "clicks": 0,
        "created_at": instant(stats.created_at),
        "expires_at": instant(stats.expires_at),
    }
