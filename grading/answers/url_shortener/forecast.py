"""02-estimation: what the learner expects 05-scaling to measure on this machine."""

from pathlib import Path

from grading.answers.forecasts import Forecasts

EXERCISE = Forecasts.load(Path(__file__).with_name("forecast.toml"))
