"""What Prometheus computes and what Grafana shows: `python -m compose.observability` makes it from the code.

`objectives` makes the recording rules and the burn-rate alerts, `dashboard` the dashboard. The files that they make
are in the repository, and a test holds them to be the newest.
"""
