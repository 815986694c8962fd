"""nbgrader looks for its configuration in the course root, which is here. It stands in grading/nbgrader."""

load_subconfig("grading/nbgrader/nbgrader_config.py")  # type: ignore[name-defined]  # noqa: F821  # nbgrader's own
