"""The load generator: open loop, in a process of its own.

Requests go out at times fixed beforehand, whether or not earlier ones were answered, and each latency counts from the
*intended* time. So a server that stalls for a second shows a second to everybody who would have come meanwhile (no
"coordinated omission", as G. Tene named the mistake).
"""
