"""What nbgrader is told: where a course keeps its files, and which of its steps are ours.

`nbgrader_config.py` calls `configure`; so do the tests, for a course root of their own.
"""

from __future__ import annotations

from pathlib import Path

import nbgrader
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ComputeChecksums,
    DeduplicateIds,
    IncludeHeaderFooter,
    LimitOutput,
    LockCells,
    OverwriteCells,
    OverwriteKernelspec,
    SaveCells,
)
from traitlets.config import Config

from grading.nbgrader.clearing import STUB, ClearAllSolutions
from grading.nbgrader.exchange import CollectPlainFiles, ReleaseAllFeedback
from grading.nbgrader.feedback import TEMPLATES, FeedbackPage, GetMarks
from grading.nbgrader.late import LatePolicy
from grading.nbgrader.preprocessor import JudgeComponents, SaveMarks
from grading.nbgrader.restore import RestoreCells, SubmissionExporter
from grading.nbgrader.safe import markdown_to_safe_html

PROJECT = Path(__file__).parents[2]
FORMGRADER = Path(nbgrader.__file__).parent / "server_extensions/formgrader"
COURSE_ID = "system-design"
WORK = "work/course"
"""Below the course root, ignored by git: submissions, marks, the secret seeds. No learner's code ever runs there."""


def configure(c: Config, root: Path = PROJECT) -> Config:
    """Fills `c` for the course at `root` (holds grading/source and labs). Touches no file."""
    root = root.resolve()
    work = root / WORK

    c.CourseDirectory.course_id = COURSE_ID
    c.CourseDirectory.root = str(root)
    c.CourseDirectory.source_directory = "grading/source"
    c.CourseDirectory.release_directory = "labs"
    for step in ("submitted", "autograded", "feedback"):
        c.CourseDirectory[f"{step}_directory"] = f"{WORK}/{step}"
    c.CourseDirectory.db_url = f"sqlite:///{work / 'gradebook.db'}"
    # What travels with a submission: notebooks, nbgrader's own two notes, the feedback page; no program, no data.
    c.CourseDirectory.include = [
        "*.ipynb",
        "timestamp.txt",
        "submission_secret.txt",
        "*.html",
        "*.png",
        "*.svg",
    ]
    c.CourseDirectory.max_file_size = 20_000  # kilobytes
    c.CourseDirectory.max_dir_size = 40_000

    c.Exchange.root = str(work / "exchange")  # a class on one server sets a directory that all can write to
    c.ExchangeFactory.collect = CollectPlainFiles
    c.ExchangeFactory.release_feedback = ReleaseAllFeedback

    c.ClearSolutions.code_stub = {"python": STUB}
    c.GenerateAssignment.preprocessors = [
        IncludeHeaderFooter,
        LockCells,
        ClearAllSolutions,
        ClearOutput,
        CheckCellMetadata,
        ComputeChecksums,
        SaveCells,
        ClearHiddenTests,
        ClearMarkScheme,
        ComputeChecksums,
        CheckCellMetadata,
    ]

    # Grading, first pass: read whatever was handed in, and give the cells back the shape that was released.
    c.Autograde.exporter_class = SubmissionExporter
    c.Autograde.sanitize_preprocessors = [
        RestoreCells,
        DeduplicateIds,
        OverwriteKernelspec,
        OverwriteCells,
    ]
    # Without CheckCellMetadata: what it checks RestoreCells has written, and its schemas take a fifth of all nbgrader's
    # time. For as much each notebook was looked at after each of these steps; now after the last.
    c.SubmissionExporter.optimistic_validation = True
    c.OverwriteCells.add_missing_cells = True
    # Second pass: the judge decides in its sandbox. Nothing is executed here: Execute is not in the list.
    c.Autograde.autograde_preprocessors = [
        JudgeComponents,
        LimitOutput,
        SaveMarks,
        AssignLatePenalties,
    ]
    c.AssignLatePenalties.plugin_class = LatePolicy
    c.JudgeComponents.work = str(work)
    c.JudgeComponents.verdicts = str(work / "verdicts")

    c.GenerateFeedback.exporter_class = FeedbackPage
    c.GenerateFeedback.preprocessors = [AssignLatePenalties, GetMarks]
    # The formgrader shows learners' prose in the instructor's browser: nothing in it may run there.
    c.TemplateExporter.filters = {"markdown2html": markdown_to_safe_html}
    # Its page of a submission, with what is ours of it first: see templates/formgrade.
    c.HTMLExporter.extra_template_basedirs = [str(TEMPLATES), str(FORMGRADER / "templates")]
    c.FormgradeExtension.debug = (
        False  # else each visit warns that this configuration cannot be shown as JSON
    )
    c.ExportApp.plugin_class = "grading.nbgrader.export.RequirementsCsv"
    return c
