"""The plain fillings: simple, correct, and they do not scale. Where a learner starts."""
