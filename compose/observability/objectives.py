"""Service-level objectives as rules of Prometheus: which share of the events was bad, over several windows, and alerts
on how fast that spends the error budget.

A burn rate of 1 spends the budget of the whole period (30 days) in the period; one of 14.4 spends 2 % of it in an
hour. An alert wants a long window, so that a single failure wakes nobody, and a short one, so that it ends soon after
the trouble does. After B. Beyer et al., "The Site Reliability Workbook" (2018), chapter 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reference.platform.objectives import Objective
from reference.shortener.objectives import HITS, OBJECTIVES, REDIRECT, SHORTEN

WINDOWS = ("5m", "30m", "1h", "6h")


@dataclass(frozen=True, slots=True)
class Burn:
    """Both windows burn at `rate` or more: then 'severity'."""

    rate: float
    long: str
    short: str
    severity: str


BURNS = (Burn(14.4, "1h", "5m", "page"), Burn(6.0, "6h", "30m", "ticket"))

READS = f'route="{REDIRECT}"'
MADE = f'route="{SHORTEN}"'
FROM_MEMORY = f'how=~"{"|".join(HITS)}"'

EVENTS: dict[str, tuple[str, str]] = {
    "redirects fast": (
        f'sum(rate(http_request_seconds_bucket{{{READS},le="0.1"}}[WINDOW]))',
        f"sum(rate(http_request_seconds_count{{{READS}}}[WINDOW]))",
    ),
    "hits fast": (
        f'sum(rate(redirect_seconds_bucket{{{FROM_MEMORY},le="0.01"}}[WINDOW]))',
        f"sum(rate(redirect_seconds_count{{{FROM_MEMORY}}}[WINDOW]))",
    ),
    "reads available": (
        f'sum(rate(http_requests_total{{{READS},status!~"5.."}}[WINDOW]))',
        f"sum(rate(http_requests_total{{{READS}}}[WINDOW]))",
    ),
    "links made": (
        f'sum(rate(http_requests_total{{{MADE},status!~"5.."}}[WINDOW]))',
        f"sum(rate(http_requests_total{{{MADE}}}[WINDOW]))",
    ),
}
"""By objective: good events a second, and all of them. "clicks counted" is a state, not a rate: see ClicksWait."""


def record(objective: Objective, window: str) -> dict[str, Any]:
    """The share of bad events. If nobody came there is none, rather than a number."""
    good, total = (expression.replace("WINDOW", window) for expression in EVENTS[objective.name])
    return {
        "record": f"objective:bad_events:ratio_rate{window}",
        "expr": f"1 - ({good} or {total} * 0) / ({total} > 0)",
        "labels": {"objective": objective.name},
    }


def alert(objective: Objective, burn: Burn) -> dict[str, Any]:
    limit = f"{burn.rate:g} * (1 - {objective.target:g})"
    windows = (burn.long, burn.short)
    conditions = (
        f'objective:bad_events:ratio_rate{w}{{objective="{objective.name}"}} > {limit}' for w in windows
    )
    words = objective.name.title().replace(" ", "")
    return {
        "alert": f"{words}BurnsFast" if burn.severity == "page" else f"{words}BurnsSlowly",
        "expr": " and ".join(conditions),
        "labels": {"severity": burn.severity},
        "annotations": {
            "summary": f"{objective.says}: the budget is spent {burn.rate:g} times too fast",
            "description": "Of the last "
            + burn.long
            + ", {{ $value | humanizePercentage }} of the events were bad.",
        },
    }


def rules() -> dict[str, Any]:
    """The content of rules/objectives.yml."""
    objectives = [each for each in OBJECTIVES if each.name in EVENTS]
    return {
        "groups": [
            {
                "name": "objectives",
                "rules": [record(each, window) for each in objectives for window in WINDOWS],
            },
            {"name": "burn rates", "rules": [alert(each, burn) for each in objectives for burn in BURNS]},
        ]
    }
