"""The services of the `local` profile: real servers on this machine, started for one stack and nobody else.

They listen on loopback only, keep their data in a folder of the stack, and need no configuration of the machine. Each
has a password of its own, in a file that only its user reads: loopback is shared by everybody on the machine, and
whoever may command a database can make it run programs.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from reference.platform.local_postgres import postgres_programs, postgres_specs, run_as, service_user
from reference.platform.local_redis import redis_server, redis_spec
from reference.platform.local_service import ServiceSpec


def available() -> str | None:
    """None if the profile can be used here; else what is missing, in one line that says what to install."""
    if os.name != "posix":
        return "the local profile needs Linux or macOS; `embedded` runs everywhere"
    if redis_server() is None:
        return "no redis-server: install Redis (apt install redis-server, brew install redis)"
    programs = postgres_programs()
    if programs is None:
        return "no PostgreSQL: install it (apt install postgresql, brew install postgresql)"
    try:
        run_as([str(programs / "postgres"), "--version"], service_user())
    except (OSError, subprocess.SubprocessError) as error:
        return (
            f"PostgreSQL in {programs} cannot be run as user {service_user() or 'of this session'}: {error}"
        )
    return None


def local_services(data_dir: Path, shards: Sequence[str] = ("shard-1",)) -> list[ServiceSpec]:
    """The services of one stack, of which each of `shards` is one; makes their folders and databases below `data_dir`.

    As root, the folders above `data_dir` must let other users pass: PostgreSQL refuses to run as root.
    Takes a second or two. Raises RuntimeError with the reason of `available`.
    """
    missing = available()
    redis, programs = redis_server(), postgres_programs()
    if missing is not None or redis is None or programs is None:
        raise RuntimeError(missing)
    memory = ("appendonly no", "maxmemory 64mb", "maxmemory-policy allkeys-lru")
    # Not `everysec`: while a sync is under way, Redis then puts its writes off for up to two seconds and answers all
    # the same, so a kill -9 loses what it acknowledged. With `no` it writes before it answers, always, and leaves the
    # syncing to the system: what it acknowledged survives the end of its process, which is what the log promises.
    durable = ("appendonly yes", "appendfsync no")
    return [
        redis_spec("cache", redis, data_dir / "cache", memory),
        redis_spec("log", redis, data_dir / "log", durable),
        redis_spec("pool", redis, data_dir / "pool", durable),
        *postgres_specs(("store", *shards), programs, data_dir),
    ]
