"""What is asked of the component: one function per scenario, from a seed to a plan.

Where codes are counted the shards have the names that they have in service, the same on every seed: how evenly a
ring spreads hangs on the names, and a router that is right must be so on all seeds.
"""

from __future__ import annotations

from grading.checks.url_shortener.codes import ALPHABET, LENGTH
from grading.checks.workload import Workload
from grading.judge.plan import Plan

OTHER_NAMES = (
    ("eu", "us", "ap"),
    ("shard-3", "shard-2"),
    ("shard-10", "shard-1", "shard-100", "shard-2"),
    ("s", "ss", "sss"),
    ("pg-a.internal:5432", "pg-b.internal:5432"),
    ("left shard", "right shard"),
)
IN_ALIASES = ALPHABET + "-_"


def script(seed: int, name: str) -> Workload:
    return Workload(seed, f"shard-router {name}")


def names(count: int) -> list[str]:
    return [f"shard-{number}" for number in range(1, count + 1)]


def code(s: Workload, length: int = LENGTH) -> str:
    return "".join(s.random.choices(ALPHABET, k=length))


def made(s: Workload, count: int) -> list[str]:
    """Random codes, as the service makes them."""
    return [code(s) for _ in range(count)]


def alias(s: Workload) -> str:
    """As people choose them, with a - or _ somewhere."""
    symbols = s.random.choices(IN_ALIASES, k=s.random.randint(1, 32))
    symbols[s.random.randrange(len(symbols))] = s.random.choice("-_")
    return "".join(symbols)


def ask(s: Workload, codes: list[str], server: int = 0, at: float = 0.0, text: str = "") -> None:
    s.each("shard_of", [[each] for each in codes], server=server, at=at, text=text)


def codes_of_all_kinds(seed: int) -> Plan:
    """By four routers: with few shards, with others than shard-1, …, with many, with one."""
    s = script(seed, "one-of-them")
    own = (names(s.random.choice([2, 3, 4])), s.random.choice(OTHER_NAMES), names(12), names(1))
    for server, shards in enumerate(own):
        codes = made(s, 200 if server == 0 else 30)
        codes += [alias(s) for _ in range(10)]
        codes += [code(s, length) for length in (1, 2, 6, 8, 11, 32)]
        s.random.shuffle(codes)
        ask(s, codes, server, text=f"ask for codes and aliases, with {len(shards)} shards")
    return s.plan(servers=4, own=tuple({"shards": list(shards)} for shards in own))


def in_different_orders(seed: int) -> Plan:
    """All servers are asked the same codes, in orders of their own, app-1 twice; some differ only in their case."""
    s = script(seed, "pure")
    codes = made(s, 40)
    codes += [each.swapcase() for each in codes[:20]]
    for server in (0, 1, 2, 0):
        extra = made(s, 10)  # that nobody else is asked
        mixed = [*codes, *extra]
        s.random.shuffle(mixed)
        ask(s, mixed, server, at=float(s.count), text="ask the same codes in another order, and some others")
    return s.plan(values={"shards": names(s.random.choice([3, 4, 5]))})


def some_codes(seed: int) -> Plan:
    s = script(seed, "every-process")
    ask(s, made(s, 50), text="ask for random codes")
    return s.plan(servers=1, values={"shards": names(s.random.choice([3, 4, 5]))})


def many_codes(seed: int) -> Plan:
    s = script(seed, "even")
    ask(s, made(s, 800), 0, text="ask for random codes, with 4 shards")
    ask(s, made(s, 1600), 1, text="ask for random codes, with 10 shards")
    return s.plan(servers=2, own=({"shards": names(4)}, {"shards": names(10)}))


def in_a_row(seed: int) -> Plan:
    s = script(seed, "alike row")
    first = s.random.randrange(62**LENGTH - 1000)
    ask(s, [digits(first + index) for index in range(300)], text="ask for codes that follow each other")
    return s.plan(servers=1, values={"shards": names(4)})


def same_beginning(seed: int) -> Plan:
    s = script(seed, "alike beginning")
    start = code(s, 9)
    ask(s, [f"{start}{index:04}" for index in range(300)], text="ask for codes that begin alike")
    return s.plan(servers=1, values={"shards": names(4)})


def same_end(seed: int) -> Plan:
    s = script(seed, "alike end")
    end = code(s, 5)
    starts = s.random.sample([a + b for a in ALPHABET for b in ALPHABET], 300)
    ask(s, [start + end for start in starts], text="ask for codes that end alike")
    return s.plan(servers=1, values={"shards": names(4)})


def same_symbols(seed: int) -> Plan:
    """The same symbols in ever other orders."""
    s = script(seed, "alike symbols")
    symbols = s.random.sample(ALPHABET, LENGTH)
    ask(s, ["".join(s.random.sample(symbols, LENGTH)) for _ in range(300)], text="ask for anagrams")
    return s.plan(servers=1, values={"shards": names(4)})


def digits(number: int) -> str:
    return "".join(ALPHABET[number // 62**place % 62] for place in reversed(range(LENGTH)))


def one_more(seed: int, before: int, count: int) -> Plan:
    """app-1 has so many shards, app-2 one more; both are asked the same codes."""
    s = script(seed, f"one more than {before}")
    codes = made(s, count)
    for server in range(2):
        ask(s, codes, server, at=float(server), text=f"ask for random codes, with {before + server} shards")
    return s.plan(servers=2, own=({"shards": names(before)}, {"shards": names(before + 1)}))


def three_and_four(seed: int) -> Plan:
    return one_more(seed, 3, 800)


def nine_and_ten(seed: int) -> Plan:
    """By their names shard-10 comes before shard-2."""
    return one_more(seed, 9, 300)


def three_and_four_shorter(seed: int) -> Plan:
    return one_more(seed, 3, 150)
