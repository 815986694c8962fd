"""Learners as testers: a component is a tester, and is judged by the recordings that it is shown.

A recording is what one of our own components did under the judge, put into the neutral words of the contract: of a
right component (the reference, the odd ones) or of one with a planted bug (the mutants). Whether it holds a bug, the
checkers of the component's own slot decided when it was made. Recordings are made beforehand (`python -m
grading.checks.testers`), since a process for each mutant would take a minute, and lie beside the slot.

    bank       the recordings of a slot: read, chosen, renamed
    trying     the workload (recordings are shown) and the checkers (was the bug found? was the right one left alone?)
    making     makes the recordings anew
"""
