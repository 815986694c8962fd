"""A running case, as processes: start it, look at it, swap its components, break it, mend it."""

from workbench.stack.client import Stack
from workbench.stack.display import Status, TopologyView
from workbench.stack.errors import ComponentError, StackError
from workbench.stack.incident import Incident
from workbench.stack.metrics import Metrics, Sample

__all__ = ["ComponentError", "Incident", "Metrics", "Sample", "Stack", "StackError", "Status", "TopologyView"]
