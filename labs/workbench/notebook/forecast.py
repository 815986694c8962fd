"""`score(forecast, measured)`: what a learner expected, beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping

from grading.answers import exercise
from grading.answers.forecasts import Forecasts, Scores
from workbench.notebook.answer import Answer

FORECAST = "url-shortener/forecast"


def score(forecast: Answer | None, measured: Mapping[str, str]) -> Scores:
    """`measured`: name to quantity as text, such as {"failed": "0.3 %"}. None for a forecast: nothing was expected.

    ValueError: a measurement that is none, or an answer that is no forecast.
    """
    found = exercise(FORECAST if forecast is None else forecast.id)
    if not isinstance(found, Forecasts):
        raise ValueError(f"{found.id} is no forecast")
    return found.score("" if forecast is None else forecast.text, measured)
