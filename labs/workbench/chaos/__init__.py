"""What happens to each journey of a user when something breaks: `workbench chaos` makes the table, on any profile.

visitors     who uses the stack meanwhile: at a steady rate, with a ledger of what they were told
faults       how each fault begins and ends, and what shows that it met work
run          one fault under load, and what it did to what had been promised
table        journeys × faults, beside what had been predicted (predictions.yaml)
fidelity     what one profile said of it, and what another did
"""

from workbench.chaos.show import chaos

__all__ = ["chaos"]
