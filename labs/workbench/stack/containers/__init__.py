"""The profile `compose`: a stack whose roles are containers. The same orders, carried out by a container engine.

engine      what is asked of the engine, and one line that says why there is none
plan        which ports lead in, and what Compose is told besides compose.yaml
roles       a process of ours in a container, a service, nginx, Toxiproxy
observed    the picture, read from what runs
assembly    all of them, from `up` to `down`
"""
