"""Becomes a service of the local profile, which then dies with the supervisor. Standard library only.

Run as `python launch.py PARENT USER PROGRAM ARGUMENT...`; USER `-`: stay who we are. It is `exec`ed by the supervisor,
so the process id that the supervisor knows is the service's own. Without Linux, the guardian does the killing.
"""

from __future__ import annotations

import os
import sys

PR_SET_PDEATHSIG = 1
SIGKILL = 9


def main(parent: int, user: str, argv: list[str]) -> None:
    library = None
    if sys.platform == "linux":
        import ctypes  # now: another user may not be able to read where Python lies

        library = ctypes.CDLL(None)
    if user != "-" and os.name == "posix":
        import pwd

        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    if library is not None:  # after the change of user, which would undo it
        library.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
