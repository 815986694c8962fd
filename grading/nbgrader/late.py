"""What a late submission costs: a share of its points for each day that has begun, after some minutes of grace."""

from __future__ import annotations

import math

from nbgrader.api import Gradebook, SubmittedAssignment
from nbgrader.plugins import BasePlugin
from traitlets import Float

DAY = 86_400.0


class LatePolicy(BasePlugin):  # type: ignore[misc]
    """nbgrader asks this where the assignment has a due date. Turn it off with `LatePolicy.per_day = 0`."""

    per_day = Float(0.1, min=0.0, max=1.0, help="Share of the points that each day begun costs.").tag(
        config=True
    )
    grace_minutes = Float(15.0, min=0.0, help="Minutes that cost nothing.").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float:
        """Points to take off `score`; never more than there are."""
        late = total_seconds_late - 60 * self.grace_minutes
        if late <= 0 or score <= 0:
            return 0.0
        return round(min(1.0, math.ceil(late / DAY) * self.per_day) * score, 2)


def bring_up_to_date(gradebook: Gradebook, submission: SubmittedAssignment, policy: BasePlugin) -> float:
    """What being late costs as the marks stand now; noted in the gradebook. nbgrader asks the policy while it grades,
    and not again when a person has marked answers since."""
    late = submission.total_seconds_late
    for notebook in submission.notebooks:
        penalty = (
            policy.late_submission_penalty(submission.student_id, notebook.score, late) if late > 0 else 0
        )
        notebook.late_submission_penalty = min(max(penalty or 0.0, 0.0), notebook.score) or None
    gradebook.db.commit()
    return float(sum(notebook.late_submission_penalty or 0.0 for notebook in submission.notebooks))
