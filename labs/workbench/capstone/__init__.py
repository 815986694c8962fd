"""The capstone: a learner's component in its place in the whole running service, under load, broken on purpose, and
judged from outside, by what clients got.

The judge (`workbench check`) has virtual time and chooses every interleaving. Here nothing is virtual: processes,
sockets, kill -9. So less can be said about *why*, and only that is judged which holds whatever the timing.

    scene       what fits a slot: settings, faults, what of the workload matters most
    plan        what is asked, by whom, when; the same for the same slot and seed
    clients     carry the plan out over HTTP; every answer goes into the ledger
    breaking    carries the faults out
    aftermath   lets things settle, then asks for everything once more
    run         all of that on a stack; gives the evidence
    checks      the evidence, held against the requirements
    verdict     the report: the same kind as the judge's
"""
