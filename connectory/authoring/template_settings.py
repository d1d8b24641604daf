"""The settings with which a task was compiled, for tasks that compile others when they run."""

import os
from collections.abc import Mapping

import msgspec

from connectory.authoring.template import SETTINGS_VARIABLE, CompileSettings

__all__ = ["settings_from_environment", "settings_text"]


def settings_text(settings: CompileSettings) -> str:
    """The settings as the value of an environment variable."""
    return msgspec.json.encode(settings).decode()


def settings_from_environment(environ: Mapping[str, str] | None = None) -> CompileSettings:
    """The settings with which the task that runs here was compiled; the usual ones where nobody says."""
    text = (os.environ if environ is None else environ).get(SETTINGS_VARIABLE)
    return msgspec.json.decode(text, type=CompileSettings) if text else CompileSettings()
