"""The command `workbench`. Each subcommand lives in the module that knows its matter; only that one is imported."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence

MODULES = {
    "up": "workbench.stack_commands",
    "down": "workbench.stack_commands",
    "status": "workbench.stack_commands",
    "fault": "workbench.stack_commands",
    "swap": "workbench.stack_commands",
    "doctor": "workbench.doctor",
    "check": "workbench.checking",
    "capstone": "workbench.capstone.command",
    "chaos": "workbench.chaos.command",
    "load": "workbench.loadgen.command",
    "lab": "workbench.lab",
    "mutants": "grading.matrix",
    "course": "grading.nbgrader.course",
    "teach": "workbench.teach",
}
"""subcommand -> a module with `add_parser(subparsers)`, whose parsers set `run`, a function of the arguments"""


def parser_for(command: str | None) -> argparse.ArgumentParser:
    """With the subcommands of one module if `command` is known, else with all (for the help and for mistakes)."""
    parser = argparse.ArgumentParser(prog="workbench", description="Run the design that you draw.")
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    names = [MODULES[command]] if command in MODULES else list(dict.fromkeys(MODULES.values()))
    for name in names:
        if there_is(name):
            importlib.import_module(name).add_parser(subparsers)
    return parser


def there_is(module: str) -> bool:
    """Learners' bundles have no tools for instructors."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor the package that it would be in
        return False


def main(argv: Sequence[str] | None = None) -> int:
    """0: done. 1: it could not be done, and a line on stderr says why. 2: the command line is wrong."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parsed = parser_for(arguments[0] if arguments else None).parse_args(arguments)
    try:
        return int(parsed.run(parsed) or 0)
    except KeyboardInterrupt:
        return 130
    except (RuntimeError, ValueError) as error:  # StackError and its like: their messages are for the reader
        print(f"workbench {parsed.subcommand}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
