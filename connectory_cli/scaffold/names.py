"""From the name that an author gives to the names of everything that is written."""

import keyword
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectory.errors import SettingsError

__all__ = ["Names", "named"]

_GOOD: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_LONGEST: Final = 40


@dataclass(frozen=True, kw_only=True)
class Names:
    """What is called how, for NAME = acme-jobs."""

    project: str
    """acme-jobs-connector: the distribution, and its folder."""
    package: str
    """acme_jobs_connector."""
    task_type: str
    """acme_jobs."""
    title: str
    """AcmeJobs: what classes begin with."""
    variable: str
    """ACME_JOBS: what environment variables begin with."""

    def as_placeholders(self) -> Mapping[str, str]:
        """What templates name them."""
        return {
            "project": self.project,
            "package": self.package,
            "task_type": self.task_type,
            "Title": self.title,
            "VARIABLE": self.variable,
        }


def named(name: str) -> Names:
    """The names for a new connector; a `SettingsError` says why a name cannot be used."""
    if not _GOOD.fullmatch(name) or len(name) > _LONGEST:
        raise SettingsError(
            f"NAME={name!r} cannot be used: write small letters and digits, joined by - or _, beginning with a letter,"
            f" at most {_LONGEST} characters, as in acme-jobs"
        )
    words = re.split("[-_]", name)
    task_type = "_".join(words)
    if keyword.iskeyword(task_type) or task_type in sys.stdlib_module_names:
        raise SettingsError(
            f"NAME={name!r} cannot be used: it is a word of Python itself; add another, as in my-{name}"
        )
    return Names(
        project=f"{'-'.join(words)}-connector",
        package=f"{task_type}_connector",
        task_type=task_type,
        title="".join(word.capitalize() for word in words),
        variable=task_type.upper(),
    )
