"""Prints for ever while it is imported."""

while True:
    print("20" * 5_000)
