"""nbgrader executes this file as Python; all it does is ask `config.configure`."""

from grading.nbgrader.config import configure

configure(get_config())  # type: ignore[name-defined]  # noqa: F821  # nbgrader puts get_config here
