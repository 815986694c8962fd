"""03-high-level design: the URL shortener in boxes and arrows."""

from pathlib import Path

from grading.answers.design_exercise import Designs

EXERCISE = Designs.load(Path(__file__).with_name("design.toml"))
