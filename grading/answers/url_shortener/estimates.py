"""02-estimation: back-of-the-envelope numbers for a service that is like the articles' and is not it."""

from pathlib import Path

from grading.answers.estimates import Estimates

EXERCISE = Estimates.load(Path(__file__).with_name("estimates.toml"))
