from __future__ import annotations

from pathlib import Path

from grading.answers.alerts.exercise import Alerts

EXERCISE = Alerts.load(Path(__file__).with_suffix(".toml"))
