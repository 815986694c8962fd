"""What was predicted and what was measured, in a small file next to the notebook, so that a restart loses nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grading.judge.report_html import marked

FILE = "experiments.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One experiment. `prediction` is the first that was committed; a later one is kept as `revised`."""

    id: str
    claim: str
    question: str
    unit: str
    prediction: float
    predicted_at: str
    revised: float | None = None
    measured: float | None = None
    says: str | None = None
    because: str | None = None
    measured_at: str | None = None


class Journal:
    """The entries in the file `path`, read and written anew each time: two notebooks may share it."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path.cwd() / FILE

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._read().values())

    def get(self, id: str) -> Entry | None:
        return self._read().get(id)

    def put(self, entry: Entry) -> None:
        entries = self._read() | {entry.id: entry}
        text = json.dumps({id: asdict(e) for id, e in entries.items()}, indent=1, ensure_ascii=False)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text + "\n", "utf-8")
        os.replace(fresh, self.path)

    def _read(self) -> dict[str, Entry]:
        """A file that is not ours is put aside as `experiments.json.unreadable`, not lost."""
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return {}
        known = {f.name for f in fields(Entry)}
        try:
            return {
                id: Entry(**{k: v for k, v in entry.items() if k in known})
                for id, entry in json.loads(text).items()
            }
        except (ValueError, TypeError, AttributeError):
            os.replace(self.path, self.path.with_suffix(".json.unreadable"))
            return {}

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for e in self:
            predicted = number(e.prediction, e.unit)
            found = number(e.measured, e.unit)
            yield e.claim, e.question, predicted, found, verdict(e.says), e.because or ""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        head = ("claim", "question", "you predicted", "measured", "verdict", "because")
        rows = list(self._rows())
        text = "\n".join(" | ".join(row) for row in (head, *rows))
        left = 'style="text-align:left"'
        cells = "".join(f'<th scope="col" {left}>{cell}</th>' for cell in head)
        body = "".join(
            "<tr>" + "".join(f"<td {left}>{marked(cell)}</td>" for cell in row) + "</tr>" for row in rows
        )
        table = f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
        return {"text/plain": text, "text/html": table if rows else "<p>No experiment yet.</p>"}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def verdict(says: str | None) -> str:
    """Of a claim: `Upheld`, `Refuted` or `It depends`."""
    return "Not measured" if says is None else "It depends" if says == "depends" else says.capitalize()


def number(value: float | None, unit: str = "") -> str:
    """`0.79`, `79 %` or `1,200 reads/s`; a dash for None. The unit "share" shows a fraction as a percentage."""
    if value is None:
        return "–"
    if unit == "share":
        digits = 0 if value <= 0.995 or value == 1 else 1
        return f"{100 * value:.{digits}f} %"
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {_of_one(unit) if value == 1 else unit}".rstrip()


def _of_one(unit: str) -> str:
    """`link` for `links`; what is no plural of a word stays."""
    if "/" in unit or " of " in f" {unit}" or len(unit) < 4 or not unit.endswith("s"):
        return unit
    return unit.removesuffix("es") if unit.endswith("sses") else unit.removesuffix("s")
