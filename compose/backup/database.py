"""A PostgreSQL in its container: asked, dumped, filled. By its own programs, so that their versions agree."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from compose.backup.errors import BackupError

USER = DATABASE = "workbench"
CHUNK = 1 << 20
END = "-- end --"

TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"


def program(container: str, name: str, *arguments: str) -> list[str]:
    return ["docker", "exec", "--interactive", container, name, f"--username={USER}", *arguments]


def psql(container: str, database: str) -> list[str]:
    return program(container, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", f"--dbname={database}")


def ask(container: str, sql: str, database: str = DATABASE, timeout: float = 600) -> list[str]:
    """Runs statements; the lines of what they return, columns parted by |. BackupError."""
    try:
        done = subprocess.run(
            psql(container, database),
            input=sql,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BackupError(f"{container} did not answer within {timeout:g} s") from error
    if done.returncode:
        raise BackupError(f"{container}: {done.stderr.strip()[-2000:]}")
    return done.stdout.splitlines()


def version(container: str, database: str = DATABASE) -> str:
    """Of the schema, as the migrations recorded it."""
    if ask(container, "SELECT to_regclass('alembic_version')", database) == [""]:
        raise BackupError(f"{container}: its schema has no version; run the service migrate first")
    return ", ".join(ask(container, "SELECT version_num FROM alembic_version ORDER BY 1", database))


def counting(tables: list[str]) -> str:
    """A question whose answer is one line of JSON: of each table its number of rows."""
    pairs = ", ".join(f"'{table}', (SELECT count(*) FROM {table})" for table in tables)
    return f"SELECT json_build_object({pairs})"


def rows(container: str, database: str) -> dict[str, int]:
    [line] = ask(container, counting(ask(container, TABLES, database)), database)
    found: dict[str, int] = json.loads(line)
    return found


class Snapshot:
    """An instant of a database, held for as long as it is open: all that is asked and dumped by it agrees.

    Connects at once; the instant is that of `hold`, so that those of several databases can lie close together.
    """

    def __init__(self, container: str) -> None:
        self.container = container
        self.name = ""
        self._psql = subprocess.Popen(
            psql(container, DATABASE),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            self.ask("SELECT 1")
        except BackupError:
            self.close()
            raise

    def ask(self, sql: str) -> list[str]:
        """The lines of what a statement returns. BackupError: the database said no, or is gone."""
        self.send(sql)
        return self.answer()

    def send(self, sql: str) -> None:
        assert self._psql.stdin is not None
        try:
            self._psql.stdin.write(f"{sql};\nSELECT '{END}';\n")
            self._psql.stdin.flush()
        except OSError:  # it has gone; why is in what it printed
            pass

    def answer(self) -> list[str]:
        assert self._psql.stdout is not None
        lines: list[str] = []
        for line in self._psql.stdout:
            if line.rstrip("\n") == END:
                return lines
            lines.append(line.rstrip("\n"))
        raise BackupError(f"{self.container}: {' '.join(lines)[-2000:] or 'the connection broke'}")

    def hold(self) -> None:
        self.send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot()")

    def held(self) -> None:
        [self.name] = self.answer()

    def dump(self, path: Path) -> tuple[int, str]:
        """Into a new file that only its owner may read; its bytes, and their SHA-256. BackupError."""
        argv = program(self.container, "pg_dump", "--format=custom", f"--snapshot={self.name}", DATABASE)
        digest, size = hashlib.sha256(), 0
        with (
            os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
            tempfile.TemporaryFile() as complaints,
            subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
            ) as dumping,
        ):
            assert dumping.stdout is not None
            while chunk := dumping.stdout.read(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            if dumping.wait():
                complaints.seek(0)
                raise BackupError(
                    f"{self.container}: {complaints.read().decode().strip()[-2000:] or 'it ended'}"
                )
            file.flush()
            os.fsync(file.fileno())
        return size, digest.hexdigest()

    def close(self) -> None:
        self._psql.kill()
        self._psql.communicate()

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def fill(container: str, database: str, path: Path) -> None:
    """A database that holds nothing, from a dump: all of it or nothing. BackupError."""
    arguments = ("--exit-on-error", "--single-transaction", f"--dbname={database}")
    with path.open("rb") as file:
        done = subprocess.run(
            program(container, "pg_restore", *arguments), stdin=file, capture_output=True, check=False
        )
    if done.returncode:
        raise BackupError(f"{container}: {done.stderr.decode().strip()[-2000:] or 'it ended'}")
