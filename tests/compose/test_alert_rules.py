"""Prometheus' own tool says of the recorded runs what our evaluator says: the same rules fire in the same seconds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from workbench.stack.containers.engine import missing

from compose.project import COMPOSE
from grading.answers.alerts.firing import Told, told
from grading.answers.alerts.rules import rules
from grading.answers.alerts.runs import Run, runs
from grading.answers.promql.evaluate import Samples
from grading.answers.promql.values import Column, Labels, shown
from grading.matrix import entries, folder

pytestmark = [pytest.mark.slow, pytest.mark.compose]

ID = "url-shortener/alerts"
SETS = {
    "solution": (folder(ID) / "base.yml").read_text("utf-8"),
    "every function": (Path(__file__).parent / "rules/every_function.yml").read_text("utf-8"),
    **{entry.name: entry.source for entry in entries(ID, "odd")},
}
ALIKE = ("one_group", "one_minus_good", "quantiles")
"""For a soak: what they ask for, the others ask for too."""
FIRING = 'group by (alertname) (ALERTS{alertstate="firing"})'
STALE = "stale"


def values(column: Column) -> str:
    """As promtool has it. A scrape that does not have a series any more ends it; before the first there is nothing."""
    told: list[str] = []
    for second, value in enumerate(column):
        gone = value is None and second and column[second - 1] is not None
        told.append(STALE if gone else "_" if value is None else repr(value))
    return " ".join(told)


def series(labels: Labels, column: Column) -> dict[str, str]:
    return {"series": shown(labels), "values": values(column)}


def expected(said: list[Told], second: int) -> list[dict[str, Any]]:
    names = sorted({each.rule.name for each in said if each.firing[second]})
    return [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in names]


def test_of(run: Run, text: str) -> dict[str, Any]:
    samples = Samples(run.series, run.truth.seconds)
    said = [told(rule, samples) for rule in rules(text)]
    assert [each.error for each in said if each.error] == []
    return {
        "name": run.truth.name,
        "interval": "1s",
        "input_series": [series(labels, column) for labels, column in run.series.items()],
        "promql_expr_test": [
            {"expr": FIRING, "eval_time": f"{second}s", "exp_samples": expected(said, second)}
            for second in range(run.truth.seconds)
        ],
    }


test_of.__test__ = False  # type: ignore[attr-defined]


def promtool(folder: Path, *what: str) -> subprocess.CompletedProcess[str]:
    image = dict(line.split("=", 1) for line in (COMPOSE / ".env").read_text("utf-8").split())
    argv = ["docker", "run", "--rm", "--network", "none", "-v", f"{folder}:/given:ro", "--entrypoint"]
    argv += ["/bin/promtool", image["PROMETHEUS_IMAGE"], *what]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] * (name in ALIKE)) for name in SETS]
)
def test_prometheus_fires_in_the_same_seconds(name: str, tmp_path: Path) -> None:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    tmp_path.chmod(0o755)  # the tool is another user
    (tmp_path / "rules.yml").write_text(SETS[name], "utf-8")
    tests = [test_of(run, SETS[name]) for run in runs()]
    asked = {"rule_files": ["rules.yml"], "evaluation_interval": "1s", "tests": tests}
    (tmp_path / "tests.yml").write_text(json.dumps(asked), "utf-8")  # YAML, too, and written in no time
    for what in (["check", "rules", "/given/rules.yml"], ["test", "rules", "/given/tests.yml"]):
        done = promtool(tmp_path, *what)
        assert done.returncode == 0, (done.stdout + done.stderr)[:4000]
