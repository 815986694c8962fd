"""The dashboard of the shortener for Grafana: rows of panels, each with what it asks Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UID = "url-shortener"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS, WIDTH, HEIGHT = 2, 12, 8
"""Grafana's grid has 24 columns."""


@dataclass(frozen=True, slots=True)
class Panel:
    """`unit`: Grafana's name for it. `asks`: PromQL and what each of its lines is called. `quiet`: that there may be
    nothing to show while all is well."""

    title: str
    unit: str
    asks: tuple[tuple[str, str], ...]
    quiet: bool = False


def quantile(share: float, metric: str, by: str = "le") -> str:
    return f"histogram_quantile({share}, sum by ({by}) (rate({metric}_bucket[1m])))"


ROWS: dict[str, tuple[Panel, ...]] = {
    "Golden signals": (
        Panel("Traffic", "reqps", (("sum by (route) (rate(http_requests_total[1m]))", "{{route}}"),)),
        Panel(
            "Errors",
            "percentunit",
            (
                (
                    'sum(rate(http_requests_total{status=~"5.."}[1m]) or rate(http_requests_total[1m]) * 0)'
                    " / sum(rate(http_requests_total[1m]))",
                    "answers with 5xx",
                ),
            ),
        ),
        Panel(
            "Latency at the servers",
            "s",
            (
                (quantile(0.5, "http_request_seconds"), "median"),
                (quantile(0.99, "http_request_seconds"), "p99"),
            ),
        ),
        Panel(
            "Saturation",
            "short",
            (
                ("sum by (instance) (requests_in_flight)", "{{instance}} in flight"),
                ("sum by (instance) (requests_queued)", "{{instance}} queued"),
            ),
        ),
        Panel(
            "Burn of the error budget, 5 minutes",
            "percentunit",
            (("objective:bad_events:ratio_rate5m", "{{objective}}"),),
        ),
        Panel(
            "Connections",
            "short",
            (
                ("nginx_connections_active", "{{instance}}"),
                ("rate(nginx_http_requests_total[1m])", "{{instance}} requests/s"),
            ),
        ),
    ),
    "Cache": (
        Panel(
            "Redirects, by how they were answered",
            "reqps",
            (("sum by (how) (rate(redirect_seconds_count[1m]))", "{{how}}"),),
        ),
        Panel(
            "Commands to the cache",
            "ops",
            (("sum by (command, outcome) (rate(cache_commands_total[1m]))", "{{command}} {{outcome}}"),),
        ),
        Panel("Memory of each Redis", "bytes", (("redis_memory_used_bytes", "{{instance}}"),)),
        Panel("Codes in the key pool", "short", (("key_pool_codes", "{{instance}}"),)),
    ),
    "Shards": (
        Panel(
            "Calls of the shards",
            "ops",
            (
                (
                    "sum by (operation, outcome) (rate(store_operations_total[1m]))",
                    "{{operation}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "Transactions of each database",
            "ops",
            (
                (
                    'sum by (instance) (rate(pg_stat_database_xact_commit{datname="workbench"}[1m]))',
                    "{{instance}}",
                ),
            ),
        ),
    ),
    "Clicks": (
        Panel(
            "Clicks that wait in the log",
            "short",
            (("sum by (partition) (consumer_lag_events)", "partition {{partition}}"),),
        ),
        Panel("Clicks counted", "ops", (("sum(rate(clicks_counted_total[1m]))", "counted"),)),
        Panel(
            "Clicks in the servers' memory",
            "short",
            (("sum by (instance) (click_buffer_events)", "{{instance}}"),),
        ),
        Panel(
            "Clicks on their way to the log",
            "ops",
            (("sum by (outcome) (rate(click_events_total[1m]))", "{{outcome}}"),),
        ),
    ),
}


def panel(number: int, told: Panel, x: int, y: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": told.title,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": told.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for n, (expression, legend) in enumerate(told.asks)
        ],
    }


def dashboard() -> dict[str, Any]:
    """The content of dashboards/url-shortener.json."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        place = {"x": 0, "y": y, "w": COLUMNS * WIDTH, "h": 1}
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "gridPos": place,
                "panels": [],
            }
        )
        y += 1
        for index, told in enumerate(row):
            panels.append(
                panel(len(panels) + 1, told, WIDTH * (index % COLUMNS), y + HEIGHT * (index // COLUMNS))
            )
        y += HEIGHT * -(-len(row) // COLUMNS)
    return {
        "uid": UID,
        "title": "URL shortener",
        "tags": ["workbench"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "templating": {"list": []},
        "panels": panels,
    }
