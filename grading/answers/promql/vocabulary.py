"""Which functions and aggregations are taken, with the types of their arguments; and which others Prometheus has."""

from __future__ import annotations

from grading.answers.promql.syntax import Type

_OVER_TIME = ("avg", "min", "max", "sum", "count", "last", "present")

FUNCTIONS: dict[str, tuple[Type, ...]] = {
    **dict.fromkeys(
        ("rate", "increase", "irate", "delta", "changes", "resets", "absent_over_time"), ("range vector",)
    ),
    **{f"{each}_over_time": ("range vector",) for each in _OVER_TIME},
    **dict.fromkeys(("absent", "abs", "ceil", "floor", "scalar"), ("instant vector",)),
    "histogram_quantile": ("scalar", "instant vector"),
    "clamp_min": ("instant vector", "scalar"),
    "clamp_max": ("instant vector", "scalar"),
    "vector": ("scalar",),
}

_OTHERS = """
acos acosh asin asinh atan atanh clamp cos cosh day_of_month day_of_week day_of_year days_in_month deg deriv
double_exponential_smoothing exp histogram_avg histogram_count histogram_fraction histogram_sum holt_winters hour
idelta label_join label_replace ln log10 log2 mad_over_time minute month pi predict_linear quantile_over_time rad
round sgn sin sinh sort sort_by_label sort_by_label_desc sort_desc sqrt stddev_over_time stdvar_over_time tan tanh time
timestamp year
"""
ALSO_FUNCTIONS = frozenset(_OTHERS.split())

AGGREGATIONS = ("sum", "avg", "min", "max", "count")
ALSO_AGGREGATIONS = ("topk", "bottomk", "quantile", "stddev", "stdvar", "group", "count_values", "limitk")
