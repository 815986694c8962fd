"""What is asked of the component: one function per scenario, from a seed to a plan."""

from __future__ import annotations

from typing import Any

from grading.checks.url_shortener.codes import ALPHABET
from grading.checks.workload import LONG, Workload
from grading.judge.plan import Plan

KNOWN = (1, 9, 10, 35, 36, 61, 125, 3843, 1_000_000)

JUNK = (
    *("", " ", " a", "a ", "a b", "a\n", "\ta", "a\r\n", "\x00"),
    *("+5", "-5", "5-", "1_000", "_", "1.5", "1e+3", "=", "a/b", "%41", "١٢", "１２", "²", "Ⅷ"),
    *("é", "ß", "ａ", "Ａ", "\u0430", "İ", "\u212a", "😀", "/", ":", "@", "[", "`", "{", "~"),
)
"""Neighbours of the 62 symbols in ASCII, what int() forgives, and digits and letters of other scripts; U+0430 looks
like an a, and U+212A is the sign for kelvin, which lower() makes a k."""

STRANGE = (" ", "-", "_", "\n", "+", "é", "１", "٣", "ｂ", ".", "{", "@")


def script(seed: int, name: str) -> Workload:
    s = Workload(seed, f"base62 {name}")
    s.facts["simpler"] = True
    return s


def digits_of(number: int) -> str:
    """The judge's own."""
    text = ""
    while number >= 62:
        number, rest = divmod(number, 62)
        text = ALPHABET[rest] + text
    return ALPHABET[number] + text


def number_with(s: Workload, digits: int) -> int:
    """A random number of so many digits, of which neither the first nor the last is 0."""
    if digits == 1:
        return s.random.randint(1, 61)
    inner = s.random.randrange(62 ** (digits - 2)) if digits > 2 else 0
    return int(s.random.randint(1, 61) * 62 ** (digits - 1) + inner * 62 + s.random.randint(1, 61))


def text_of(s: Workload, length: int) -> str:
    return "".join(s.random.choices(ALPHABET, k=length))


def small_numbers(seed: int) -> Plan:
    s = script(seed, "digits")
    numbers = [*KNOWN, *s.random.sample(range(1, 62), 20)]
    numbers += [s.random.randrange(62**size, 62 ** (size + 1)) for size in range(1, 7) for _ in range(5)]
    s.each("encode", [[number] for number in numbers], text="encode numbers of one to seven digits")
    return s.plan(servers=1)


def many_numbers(seed: int) -> Plan:
    """Asked of one server: they are encoded, and their digits decoded."""
    s = script(seed, "many")
    numbers = [number_with(s, s.random.randint(1, 7)) for _ in range(s.random.randint(*LONG))]
    s.each("encode", [[number] for number in numbers], text=f"encode {len(numbers)} numbers")
    s.each("decode", [[digits_of(number)] for number in numbers], at=1.0, text="decode their digits")
    return s.plan(servers=1)


def texts(seed: int) -> Plan:
    """Of up to eight digits, so that floats would do; many with zeros on the left."""
    s = script(seed, "decode")
    asked = [*s.random.sample(ALPHABET, 20), "21", "Zz", "0", "00", "0000000"]
    for size in range(2, 9):
        asked += [text_of(s, size) for _ in range(3)]
        asked.append("0" * s.random.randint(1, 3) + text_of(s, size))
    s.each("decode", [[text] for text in asked], text="decode texts of one to eight digits, some padded")
    return s.plan(servers=1)


def edges(seed: int) -> Plan:
    """0, and powers of 62 with their neighbours, in numbers that floats can hold."""
    s = script(seed, "length")
    numbers = [0, *(62**power + by for power in range(1, 9) for by in (-1, 0, 1))]
    s.random.shuffle(numbers)
    s.facts["read_back"] = True
    s.each("encode", [[number] for number in numbers], text="encode 0, and numbers round the powers of 62")
    return s.plan(servers=1)


def large_numbers(seed: int) -> Plan:
    s = script(seed, "exact")
    numbers = [2**53 + 1, 2**63 - 1, 2**64 + 1]
    for bits in (54, 57, 60, 64, 65, 80, 128, 256, 1000):
        numbers += [s.random.getrandbits(bits - 1) | 1 << (bits - 1) for _ in range(2)]
    numbers += [62 ** s.random.randint(10, 160) + by for by in (-1, 0, 1)]
    s.facts["read_back"] = True
    s.each("encode", [[number] for number in numbers], text="encode numbers of 53 to 1,000 bits")
    return s.plan(servers=1)


def lengths(seed: int) -> Plan:
    """Each number once, with a length below, at or above its number of digits."""
    s = script(seed, "padding")
    asked: list[list[Any]] = []
    for digits in range(1, 9):
        numbers = {number_with(s, digits) for _ in range(5)}
        asked += [[number, s.random.randint(1, 14)] for number in sorted(numbers)]
    asked += [[number_with(s, 8), 7], [number_with(s, 8), 7], [62**7 + 5, 20]]
    s.random.shuffle(asked)
    s.each("encode", asked, text="encode numbers to at least so many symbols")
    return s.plan(servers=1)


def negative_numbers(seed: int) -> Plan:
    s = script(seed, "negative")
    asked: list[list[Any]] = [[-1], [-1, 7], [-61], [-62], [-63, 7], [-(2**70)]]
    asked += [[-s.random.randint(2, 62**7)] for _ in range(6)]
    asked += [[s.random.randint(1, 62**7)] for _ in range(6)]
    s.random.shuffle(asked)
    s.each("encode", asked, text="encode negative numbers, and some others")
    return s.plan(servers=1)


def junk(seed: int) -> Plan:
    """Mixed with texts that are all right."""
    s = script(seed, "bad-text")
    asked = list(JUNK)
    for strange in STRANGE:
        text = text_of(s, s.random.randint(2, 7))
        at = s.random.randint(0, len(text))
        asked.append(text[:at] + strange + text[at:])
    asked += [text_of(s, s.random.randint(1, 7)) for _ in range(12)]
    s.random.shuffle(asked)
    s.each("decode", [[text] for text in asked], text="decode texts with symbols that are no digits")
    return s.plan(servers=1)


def one_after_another(seed: int) -> Plan:
    """app-1 is asked good things and bad ones in turns, everything twice; app-2 only the good ones."""
    s = script(seed, "no-state")
    numbers = [number_with(s, s.random.randint(1, 7)) for _ in range(8)]
    encoded: list[list[Any]] = [[number, length] for number in numbers for length in (1, 7, 11)]
    decoded: list[list[Any]] = [[text_of(s, s.random.randint(1, 7))] for _ in range(12)]
    for turn in range(2):
        for method, good in (("encode", encoded), ("decode", decoded)):
            s.random.shuffle(good)
            s.each(method, mixed(s, method, good), at=turn, text=f"{method}, between calls that must fail")
    for method, good in (("encode", encoded), ("decode", decoded)):
        s.random.shuffle(good)
        s.each(method, good[:], server=1, at=2.0, text=f"{method}, the same in another order")
    return s.plan(servers=2)


def mixed(s: Workload, method: str, good: list[list[Any]]) -> list[list[Any]]:
    """With something that is refused before many of them."""
    found = []
    for question in good:
        if s.random.random() < 0.5:
            bad = (
                -s.random.randint(1, 62**7) if method == "encode" else text_of(s, 4) + s.random.choice("-_ é")
            )
            found.append([bad])
        found.append(question)
    return found
