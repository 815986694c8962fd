"""The errors that cross a port. Every adapter translates its driver's errors into these, `from` the cause.

    PortError
    ├── Definite            the operation did NOT happen; trying again is safe
    │   ├── Unavailable     refused, not connected, overloaded, failing over
    │   └── LeaseLost       what the operation needed to hold is somebody else's by now
    └── Indefinite          the operation MAY have happened; only an idempotent retry is safe
        └── TimedOut        no answer within the deadline

A checker must know which of the two a client saw: after a `Definite` error a write is absent,
after an `Indefinite` one both histories, with the write and without it, are right.
"""


class PortError(Exception):
    """Root of the errors that a port may raise."""


class Definite(PortError):
    """The operation did not happen."""


class Unavailable(Definite):
    """The service refused, or could not be reached before anything was sent."""


class LeaseLost(Definite):
    """The lease under which this was to happen has passed to somebody else; nothing happened."""


class Indefinite(PortError):
    """The operation may or may not have happened."""


class TimedOut(Indefinite):
    """No answer came within the deadline."""
