"""What is kept of a visitor: the table of what comes in and what may stay."""

import pytest

from reference.shortener import agents
from reference.shortener.privacy import REFERRER_LENGTH, Visitor, network, referring_host, visitor

HOSTS = {
    "": "",
    "https://news.example.org/a/b?session=1#c": "news.example.org",
    "http://News.Example.ORG": "news.example.org",
    "HTTPS://example.org:8443/x": "example.org",
    "https://example.org:/x": "example.org",
    "https://alice:secret@example.org/x": "example.org",
    "https://a@b@example.org/x": "example.org",
    "https://example.org./": "example.org",
    "https://example.org\\@evil.example/": "example.org",
    "https://example.org?x=@evil.example": "example.org",
    "android-app://com.google.android.gm/": "com.google.android.gm",
    "  https://example.org/ ": "example.org",
    "https://xn--bcher-kva.example/": "xn--bcher-kva.example",
    "https://203.0.113.77:80/": "203.0.113.0/24",
    "https://[2001:db8:1:2::7]:8080/": "2001:db8:1::/48",
    "https://[::ffff:203.0.113.77]/": "203.0.113.0/24",
    "https://[not-an-address]/": "",
    "https://[::::]/": "",
    "https:///path": "",
    "https://@/": "",
    "https://example.org\r\nX: y/": "",
    "https://exa mple.org/": "",
    "https://bücher.example/": "",
    "https://exam\x00ple.org/": "",
    "ftp://example.org/": "",
    "file:///home/alice/letter.txt": "",
    "data:text/html,https://example.org/": "",
    "javascript://example.org/": "",
    "about:blank": "",
    "example.org": "",
    "//example.org/": "",
    "https:example.org": "",
    "null": "",
    "https://" + "a" * 10_000 + ".example/": "",
    "https://example.org/" + "x" * 10_000: "example.org",
    "https://" + "@" * 10_000: "",
    "x" * 10_000: "",
}


@pytest.mark.parametrize(("referer", "host"), HOSTS.items())
def test_of_a_referer_the_host_stays(referer: str, host: str) -> None:
    assert referring_host(referer) == host


def test_of_a_long_host_the_end_stays() -> None:
    host = referring_host("https://" + "person-4711." * 15 + "owner.example/")
    assert len(host) <= REFERRER_LENGTH
    assert host.endswith(".owner.example")
    assert not host.startswith(".")


NETWORKS = {
    "": "",
    "203.0.113.77": "203.0.113.0/24",
    "203.0.113.77:4711": "203.0.113.0/24",
    " 203.0.113.77 ": "203.0.113.0/24",
    "127.0.0.1": "127.0.0.0/24",
    "255.255.255.255": "255.255.255.0/24",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
    "2001:DB8:1:2::6": "2001:db8:1::/48",
    "[2001:db8:1:2::6]": "2001:db8:1::/48",
    "[2001:db8:1:2::6]:443": "2001:db8:1::/48",
    "fe80::1%eth0": "fe80::/48",
    "[fe80::1%eth0]:80": "fe80::/48",
    "::1": "::/48",
    "::ffff:203.0.113.77": "203.0.113.0/24",
    "::ffff:cb00:714d": "203.0.113.0/24",
    "[::ffff:203.0.113.77]:80": "203.0.113.0/24",
    "2002:cb00:714d:1::1": "203.0.113.0/24",  # 6to4: bits 16 to 48 are 203.0.113.77
    "01.02.03.04": "",  # octal or decimal? nobody knows
    "1.2.3": "",
    "256.1.1.1": "",
    "1.2.3.4.5": "",
    "1.2.3.4/8": "",
    "16909060": "",
    "0x7f000001": "",
    "１.2.3.4": "",  # a full-width digit
    "2001:db8::1::2": "",
    "unknown": "",
    "_hidden": "",
    "203.0.113.77, 10.0.0.1": "",
    "203.0.113.77:": "",
    "]:80": "",
    "[]": "",
    "%": "",
    "\x00": "",
    "1" * 10_000: "",
    "1.2.3.4%" + "z" * 10_000: "",
}


@pytest.mark.parametrize(("address", "kept"), NETWORKS.items())
def test_of_an_address_the_network_stays(address: str, kept: str) -> None:
    assert network(address) == kept


AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": "Firefox",
    "Mozilla/5.0 (iPhone; like Mac OS X) AppleWebKit/605.1.15 FxiOS/127.0 Safari/605.1.15": "Firefox",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36": "Chrome",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) CriOS/126.0 Mobile/15E148 Safari/604.1": "Chrome",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15": "Safari",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0": "Edge",
    "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36 EdgA/126.0": "Edge",
    "Mozilla/5.0 (X11; Linux x86_64) Chrome/125.0 Safari/537.36 OPR/111.0": "Opera",
    "Mozilla/5.0 (Linux; Android 14; SM-S928B) SamsungBrowser/25.0 Chrome/121.0 Safari/537.36": "Samsung Internet",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/126.0 Safari/537.36": "bot",
    "Mozilla/5.0 (compatible; bingbot/2.0)": "bot",
    "facebookexternalhit/1.1": "bot",
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/126.0 Safari/537.36": "bot",
    "curl/8.8.0": "curl",
    "python-requests/2.32": "other",
    "": "other",
    "\x00\xff": "other",
    "A" * 10_000 + " Firefox/1": "other",
    "FIREFOX/1 " + "A" * 10_000: "Firefox",
}


@pytest.mark.parametrize(("header", "name"), AGENTS.items())
def test_of_a_user_agent_the_family_stays(header: str, name: str) -> None:
    assert agents.family(header) == name


def test_the_families_are_those_that_are_announced() -> None:
    assert {agents.family(header) for header in AGENTS} == set(agents.NAMES)


def test_a_visitor_is_these_three() -> None:
    assert visitor("https://a.example/x", "curl/8", "[::ffff:1.2.3.4]:80") == Visitor(
        "a.example", "curl", "1.2.3.0/24"
    )
    assert visitor("", "", "") == Visitor("", "other", "")


@pytest.mark.parametrize("part", ["a@", "a.", "[", ":", "@[", "%", "\\", "é", "\ud800"])
def test_a_hostile_header_is_read_no_further_than_its_limit(part: str) -> None:
    for text in (part * 50_000, "https://" + part * 50_000):
        assert visitor(text, text, text) == Visitor("", "other", "")
