"""The services of the embedded profile, all in one process."""

from __future__ import annotations

from collections.abc import Mapping

from reference.platform.embedded import EmbeddedServices
from reference.platform.process import ComponentFactory, EventSink, Runnable
from reference.platform.settings import Settings


def services(settings: Settings, events: EventSink, replace: Mapping[str, ComponentFactory]) -> Runnable:
    return EmbeddedServices(settings)
