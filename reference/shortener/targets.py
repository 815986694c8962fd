"""Where a short link may lead: what a URL must be, and which addresses are our own.

Nothing is fetched and no name is looked up. A URL is judged as browsers read it (the WHATWG's URL standard), which is
wider than what it looks like: `http://0x7f.1/` is 127.0.0.1, and `http://SHO%2Ert./` is sho.rt. What is kept, and sent
as `Location`, is byte for byte what came in.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import idna

URL_LIMIT = 2048
"""Characters of a target."""

DEFAULT_PORTS = {"http": 80, "https": 443}

_URL = re.compile(r"(?i)(https?)://([^/?#]*)")
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
_NAME = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

INVISIBLE = {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}
"""Unicode's controls, format characters (which cannot be seen, or turn text round), lone surrogates, and spaces."""

LOOPBACK = "localhost"
"""Stands for all spellings of this machine: 127.0.0.0/8, ::1, 0.0.0.0, names under localhost."""


class Address(NamedTuple):
    """Where a URL leads. `host`: in the one spelling that all others are turned into."""

    host: str
    port: int


def address_of(url: str) -> Address:
    """Where `url` leads. ValueError, with a text for the client, if a link may not have it as its target."""
    if not url:
        raise ValueError("a URL is needed")
    if len(url) > URL_LIMIT:
        raise ValueError(f"a URL has {URL_LIMIT} characters at most")
    if any(unicodedata.category(character) in INVISIBLE for character in url):
        raise ValueError("a URL has neither spaces nor control characters nor invisible ones")
    if "\\" in url:
        raise ValueError("no backslashes: browsers read them as slashes; write %5C")
    parts = _URL.match(url)
    if parts is None:
        raise ValueError("only http:// and https:// URLs")
    authority = parts[2]
    if "@" in authority:
        raise ValueError("no user names or passwords in URLs: they end up in logs, and hide the host")
    host_and_port = _AUTHORITY.fullmatch(authority)
    if host_and_port is None:
        raise ValueError("the part between // and the path is no host with an optional port")
    port = int(host_and_port[2] or DEFAULT_PORTS[parts[1].lower()])
    if not 0 < port < 65536:
        raise ValueError("a port is a number from 1 to 65535")
    return Address(canonical_host(host_and_port[1]), port)


def canonical_host(text: str) -> str:
    """The one spelling of a host: lower case, ASCII, no final dot; addresses in their short form; LOOPBACK.

    ValueError if it is no host."""
    if text.startswith("["):
        return _address(_ipv6(text))
    host = _ascii(text).removesuffix(".")
    if not _NAME.fullmatch(host):
        raise ValueError("a URL needs a host: a name, or an address")
    last = host.rpartition(".")[2]
    if _NUMBER.fullmatch(last):
        return _address(_ipv4(host))
    return LOOPBACK if last == LOOPBACK else host


def _ascii(text: str) -> str:
    """A host's name without percent-encoding, in ASCII (Punycode), lower case."""
    try:
        decoded = unquote_to_bytes(text).decode()
        if not decoded.isascii():
            decoded = idna.encode(decoded, uts46=True).decode()
        decoded = decoded.lower()
        for label in decoded.split("."):
            if label.startswith("xn--"):
                _check_punycode(label)
    except UnicodeError as error:  # IDNAError is one, too
        raise ValueError(
            "the host is no valid name: if it has other letters than a to z, write xn--..."
        ) from error
    return decoded


def _check_punycode(label: str) -> None:
    """UnicodeError if `label` hides what could have been written plainly, and so is another name for it."""
    meant = label[4:].encode().decode("punycode")
    if meant.isascii() or unicodedata.normalize("NFKC", meant) != meant:
        raise UnicodeError("not the Punycode of a name")


def _ipv4(host: str) -> ipaddress.IPv4Address:
    """One to four numbers, each decimal, octal or hexadecimal; the last one fills what is left of 32 bits."""
    numbers = []
    for part in host.split("."):
        if not _NUMBER.fullmatch(part):
            raise ValueError("a host that ends in a number is an IPv4 address, and this is none")
        try:
            numbers.append(
                int(part[2:] or "0", 16) if part[:2] == "0x" else int(part, 8 if part[0] == "0" else 10)
            )
        except ValueError:
            raise ValueError("this is no IPv4 address: a number with a leading 0 is octal") from None
    *first, last = numbers
    if len(first) > 3 or any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        raise ValueError("a number in this IPv4 address is too large, or there are too many")
    shifted = (number << 8 * (3 - place) for place, number in enumerate(first))
    return ipaddress.IPv4Address(sum(shifted) + last)


def _ipv6(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.IPv6Address(text[1:-1])
    except ValueError:
        raise ValueError("what is in brackets is no IPv6 address") from None
    if address.scope_id is not None:
        raise ValueError("an IPv6 address in a URL has no zone")
    return address.ipv4_mapped or address


def _address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return LOOPBACK if address.is_loopback or address.is_unspecified else str(address)


class Ourselves:
    """The service's own address: a link to it would be a loop, or hide where it leads.

    Loops through somebody else's shortener cannot be seen without asking there, which we do not; browsers end
    them after some twenty redirects."""

    def __init__(self, public_url: str) -> None:
        host, port = address_of(public_url)
        self._host = host
        self._ports = {80, 443} if port in (80, 443) else {port}

    def include(self, address: Address) -> bool:
        return address.host == self._host and address.port in self._ports
