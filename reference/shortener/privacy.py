"""What may be kept of a visitor: where from, with which kind of program, from which network. Not who.

It happens before a click leaves the server, so that nothing behind it, neither log nor store, ever holds more.
A Referer's path may carry names and session ids, a User-Agent is half a fingerprint, an address is personal data.
What is kept: the referring host, the agent's family, and of the address the first 24 bits (IPv4) or 48 (IPv6), which
many subscribers share. That is the cut that analytics services make; it is a reduction, and no proof of anonymity.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from reference.shortener import agents

IPV4_BITS, IPV6_BITS = 24, 48
REFERRER_LENGTH = 100
"""Characters of a host at most. Of a longer one the end is kept, where its owner's domain is."""

_HEADER = 1000
"""Characters of a Referer that are looked at: a host has 253 at most."""
_ADDRESS = 64

# Scheme, credentials, host, port. Browsers take "\" for "/", so a host ends there too.
_REFERER = re.compile(
    r"(?:https?|android-app)://(?:[^/?#\\]*@)?(\[[0-9a-f:.]+\]|[a-z0-9_.-]{1,253})(?::[0-9]*)?(?:[/?#\\]|\Z)",
    re.ASCII | re.IGNORECASE,
)
_PORT = re.compile(r"\[([^\]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+")


class Visitor(NamedTuple):
    """Who clicked, as far as may be known. `referrer`: a host, "" for none. `agent`: one of `agents.NAMES`.
    `address`: a network, such as "203.0.113.0/24", "" if unknown."""

    referrer: str
    agent: str
    address: str


def visitor(referer: str, user_agent: str, address: str) -> Visitor:
    """What may be kept of these two headers ("" if absent) and the client's address. Pure; never raises."""
    return Visitor(referring_host(referer), agents.family(user_agent), network(address))


def referring_host(referer: str) -> str:
    """The host of a Referer: lower case, without port, credentials and path. "" if it names none.

    A host that is an address is cut as a visitor's own would be."""
    found = _REFERER.match(referer[:_HEADER].strip())
    if found is None:
        return ""
    host = found[1].lower().rstrip(".")
    return network(host) or ("" if host.startswith("[") else host[-REFERRER_LENGTH:].lstrip("."))


def network(address: str) -> str:
    """The network of an address, with or without a port or zone: "198.51.100.7:4711" gives "198.51.100.0/24".

    "" if it cannot be read. An IPv4 address inside an IPv6 one (mapped, or 6to4, whose first 48 bits hold all of
    it) is cut as the IPv4 address that it is."""
    if len(address) > _ADDRESS:
        return ""
    with_port = _PORT.fullmatch(address.strip())
    bare = (with_port[1] or with_port[2] or "") if with_port else address.strip()
    try:
        parsed: IPv4Address | IPv6Address = ip_address(bare.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed.sixtofour or parsed
    bits = IPV4_BITS if parsed.version == 4 else IPV6_BITS
    rest = parsed.max_prefixlen - bits
    return f"{type(parsed)(int(parsed) >> rest << rest)}/{bits}"
