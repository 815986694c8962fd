"""Symptoms of a wrong `redirect-cache`, as a client sees them on a live stack.

A probe takes a `Bench`, provokes the symptom by load and faults, and returns what it saw of it, or None. A probe that
cannot do its work (a machine too busy, a service that does not answer as it must) fails an assertion instead.
"""
