"""Stated requirements, tried on a running stack: `await hold(stack, requirements)`."""
