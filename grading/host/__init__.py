"""The child process that alone loads a learner's module, and serves it to the judge in lockstep.

Started by `grading.judge.process`; it talks JSON lines over its standard streams. Nothing in here decides anything:
the judge believes of this process only what a component returned, never what it asked its ports for.
"""
