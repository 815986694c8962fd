"""Who is at the other end, when proxies of ours stand between.

Each proxy appends the address that it was called from to X-Forwarded-For. What a client wrote there itself comes
first, so only the last entries can be believed: as many as there are proxies of ours.
"""

from __future__ import annotations


def client_address(forwarded: str, peer: str, proxies: int) -> str:
    """The address of the client, as it stands there: "" if it is not known.

    `forwarded`: the values of all X-Forwarded-For headers, joined by commas. `peer`: the address of whoever is
    connected to this server. `proxies`: of ours, in front of this server; with fewer entries than that the
    request came in behind them, and the first one is the client's.
    """
    hops = [hop.strip() for hop in forwarded.split(",")] if forwarded else []
    hops.append(peer)
    return hops[max(0, len(hops) - 1 - proxies)]
