"""Requests that must be refused, each with the problem that says why.

A row: a name; the request (method, path, and keywords of httpx); the status; the last part of the problem's type; words
of its detail. A link with the alias `my-link` is there already.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Bad(NamedTuple):
    name: str
    method: str
    path: str
    request: dict[str, Any]
    status: int
    kind: str
    words: str


JSON = {"Content-Type": "application/json"}
SHORTEN = "/api/v1/shorten"


def body(name: str, content: Any, words: str, status: int = 422, kind: str = "invalid") -> Bad:
    """A body of POST /api/v1/shorten."""
    return Bad(name, "POST", SHORTEN, {"content": json.dumps(content), "headers": JSON}, status, kind, words)


def target(name: str, url: Any, words: str) -> Bad:
    return body(f"target: {name}", {"long_url": url}, words)


def alias(name: str, text: Any, words: str, status: int = 422, kind: str = "invalid") -> Bad:
    return body(
        f"alias: {name}", {"long_url": "https://example.org/", "custom_alias": text}, words, status, kind
    )


def expiry(name: str, text: Any, words: str) -> Bad:
    return body(f"expiry: {name}", {"long_url": "https://example.org/", "expiry": text}, words)


def raw(name: str, content: bytes, status: int, kind: str, words: str, **headers: str) -> Bad:
    request = {"content": content, "headers": {**JSON, **headers}}
    return Bad(f"body: {name}", "POST", SHORTEN, request, status, kind, words)


LOOP = "leads back to this service"
OWN_SPELLINGS = (
    *("http://sho.rt", "https://sho.rt/abc", "HTTP://SHO.RT/", "http://sho.rt.:80/", "http://sho.rt:443"),
    *("http://sho%2ert/x", "http://%73ho.rt/", "http://ｓｈｏ.ｒｔ/", "http://sho。rt/", "http://SHO%2ERT./"),
    *("http://sho.rt?x", "http://sho.rt#x", "http://sho.rt:/", "http://ſho.rt/"),
)

TARGETS = [
    target("missing", None, "long_url"),
    target("a number", 7, "long_url"),
    target("empty", "", "long_url"),
    target("no scheme", "example.org", "only http"),
    target("ftp", "ftp://example.org/", "only http"),
    target("javascript", "javascript:alert(1)", "only http"),
    target("data", "data:text/html,x", "only http"),
    target("a scheme in disguise", "http+x://example.org/", "only http"),
    target("one slash", "http:/example.org/", "only http"),
    target("no host", "http://", "host"),
    target("three slashes", "http:///example.org/", "host"),
    target("only a port", "http://:80/", "host"),
    target("only a dot", "http://./", "host"),
    target("an empty label", "http://a..b/", "host"),
    target("a long label", f"http://{'a' * 64}.org/", "host"),
    target("a long name", f"http://{'a.' * 127}org/", "host"),
    target("a letter that no host has", "http://exa$mple.org/", "host"),
    target("a port too high", "http://example.org:65536/", "port"),
    target("port 0", "http://example.org:0/", "port"),
    target("a port of letters", "http://example.org:http/", "port"),
    target("an endless port", f"http://example.org:{'9' * 50}/", "port"),
    target("a user name", "https://paypal.com@example.org/", "user names"),
    target("a password", "https://a:b@example.org/", "user names"),
    target("an unclosed bracket", "http://[::1/", "host"),
    target("no IPv6", "http://[12345::]/", "IPv6"),
    target("a zone", "http://[fe80::1%25eth0]/", "zone"),
    target("too many numbers", "http://1.2.3.4.5/", "IPv4"),
    target("a number too large", "http://1.2.3.256/", "IPv4"),
    target("digits that are not octal", "http://127.0.0.09/", "IPv4"),
    target("a name that ends in a number", "http://example.7/", "IPv4"),
    target("a space", "http://example.org/a b", "spaces"),
    target("a space before it", " http://example.org/", "spaces"),
    target("a tab in the scheme", "ht\ttp://example.org/", "spaces"),
    target("a line break", "http://example.org/\r\nSet-Cookie: a=b", "control"),
    target("a zero byte", "http://example.org/\x00", "control"),
    target("a control character of C1", "http://example.org/\x85", "control"),
    target("text turned round", "http://example.org/\u202egpj.exe", "invisible"),
    target("a letter that nobody sees", "http://exam\u200bple.org/", "invisible"),
    target("half of a pair", "http://example.org/\ud800", "long_url"),
    target("a backslash", "http:\\\\example.org\\", "backslash"),
    target("a backslash in the middle", "http://example.org\\@sho.rt/", "backslash"),
    target("too long", "http://example.org/" + "a" * 2030, "2048"),
    target("plain letters as Punycode", "http://xn--sho-.rt/", "valid name"),
    target("no Punycode", "http://xn--\u00e4.rt/", "valid name"),
    target("a host that is no UTF-8", "http://%ff.org/", "valid name"),
    *(target(f"our own, as {url}", url, LOOP) for url in OWN_SPELLINGS),
]

ALIASES = [
    alias("short", "ab", "3 to 32"),
    alias("long", "a" * 33, "3 to 32"),
    alias("empty", "", "3 to 32"),
    alias("a slash", "a/b", "3 to 32"),
    alias("a dot", "robots.txt", "3 to 32"),
    alias("a letter beyond ASCII", "schön", "3 to 32"),
    alias("a Cyrillic twin", "p\u0430ypal", "3 to 32"),
    alias("a line break at its end", "my-alias\n", "3 to 32"),
    alias("a number", 1234, "custom_alias"),
    alias("a route", "docs", "reserved"),
    alias("a route in capitals", "API", "reserved"),
    alias("a route of made codes' shape", "healthz", "reserved"),
    alias("what looks like a route", "d0cs", "reserved"),
    alias("the shape of a made code", "aB3xK9p", "7 letters and digits"),
    alias("taken", "my-link", "taken", 409, "alias-taken"),
    alias("taken, in capitals", "MY-LINK", "my-link", 409, "alias-taken"),
    alias("a twin: 1 for l", "my-1ink", "my-link", 409, "alias-taken"),
    alias("a twin: _ for -", "my_link", "my-link", 409, "alias-taken"),
    alias("a twin: rn for m", "rny-link", "my-link", 409, "alias-taken"),
]

EXPIRIES = [
    expiry("no date", "soon", "ISO"),
    expiry("a number", 7, "expiry"),
    expiry("past", "2020-01-01", "future"),
    expiry("now", "2027-01-15T08:00:00Z", "future"),
    expiry("no such day", "2030-02-30", "ISO"),
    expiry("the end of time", "9999-12-31T23:59:59-23:59", "ISO"),
    expiry("far ahead", "9999-12-31T23:59:59.999999", "100 years"),
    expiry("endless", "2030" * 20, "expiry"),
]

BODIES = [
    body("body: a list", [], "body"),
    body("body: a text", "https://example.org/", "body"),
    body("body: null", None, "body"),
    body("body: a field too many", {"long_url": "https://example.org/", "alias": "mine"}, "alias"),
    raw("no JSON", b"{", 422, "invalid", "not JSON"),
    raw("nothing", b"", 422, "invalid", "body"),
    raw("no UTF-8", b'{"long_url": "\xff"}', 400, "malformed", "body"),
    raw("nested too deep", b"[" * 30_000, 400, "malformed", "body"),
    raw("too long", b'{"long_url": "' + b"a" * 70_000 + b'"}', 413, "too-long", "bytes"),
    raw("text", b"a=b", 415, "not-json", "application/json", **{"Content-Type": "text/plain"}),
    raw(
        "a form",
        b"a=b",
        415,
        "not-json",
        "application/json",
        **{"Content-Type": "application/x-www-form-urlencoded"},
    ),
    raw("a blank key", b"{}", 422, "invalid", "Idempotency-Key", **{"Idempotency-Key": ""}),
    raw("a key with a space", b"{}", 422, "invalid", "Idempotency-Key", **{"Idempotency-Key": "a b"}),
    raw("a long key", b"{}", 422, "invalid", "Idempotency-Key", **{"Idempotency-Key": "k" * 256}),
    raw("a wrong token", b"{}", 401, "bad-token", "nobody", Authorization="Bearer wrong"),
    raw("another scheme", b"{}", 401, "token-missing", "Bearer", Authorization="Basic YTpi"),
    raw("no token after all", b"{}", 401, "token-missing", "Bearer", Authorization="Bearer "),
]


def plain(method: str, path: str, status: int, kind: str, words: str, **headers: str) -> Bad:
    return Bad(f"{method} {path} {headers}", method, path, {"headers": headers}, status, kind, words)


NOBODY = f"Bearer wb_{'0' * 16}_{'x' * 32}"

PATHS = [
    plain("GET", "/nothing", 404, "unknown", "no such short link"),
    plain("GET", "/no.code", 404, "unknown", "no such short link"),
    plain("GET", "/" + "a" * 33, 404, "unknown", "no such short link"),
    plain("GET", "/%0d%0aSet-Cookie:a=b", 404, "unknown", "no such short link"),
    plain("GET", "/nothing/at/all", 404, "unknown", "nothing at this path"),
    plain("GET", "/static/../api.py", 404, "unknown", ""),
    plain("GET", "/static/..%2fapi.py", 404, "unknown", ""),
    plain("GET", "/docs/swagger-ui.css.map", 404, "unknown", "nothing at this path"),
    plain("POST", "/my-link", 405, "wrong-method", "does not take this method"),
    plain("GET", "/api/v1/shorten", 405, "wrong-method", "does not take this method"),
    plain("GET", "/api/v1/stats/nothing", 404, "unknown", "no such short link"),
    plain("GET", "/api/v1/stats/a.b", 404, "unknown", "no such short link"),
    plain("DELETE", "/api/v1/links/my-link", 401, "token-missing", "Bearer"),
    plain("DELETE", "/api/v1/links/my-link", 403, "wrong-token", "does not allow", Authorization="Bearer x"),
    plain("DELETE", "/api/v1/links/nothing", 404, "unknown", "no such", Authorization="Bearer x"),
    plain("DELETE", "/api/v1/links/my-link", 401, "bad-token", "nobody", Authorization=NOBODY),
    plain("GET", "/api/v1/me", 401, "token-missing", "Bearer"),
    plain("GET", "/api/v1/me", 401, "bad-token", "nobody", Authorization=NOBODY),
    plain("GET", "/api/v1/me/data", 401, "token-missing", "Bearer"),
    plain("DELETE", "/api/v1/me", 401, "token-missing", "Bearer"),
    plain("GET", "/api/v1/blocklist", 401, "token-missing", "Bearer"),
]

TABLE = [*TARGETS, *ALIASES, *EXPIRIES, *BODIES, *PATHS]
