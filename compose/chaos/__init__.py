"""What happens to each journey of a user when a service breaks: `python -m compose.chaos` makes the table.

Against the profile in containers. `project` commands it, `visitors` use it, `faults` break it, `run` does all three and
keeps the ledger, `table` says what became of each journey, and `predictions.yaml` what we had thought.
"""
