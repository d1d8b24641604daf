"""What the command prints."""

import sys
from collections import Counter
from collections.abc import Iterable

from connectory_cli.doctor.examination import Examined
from connectory_cli.doctor.findings import Level
from connectory_cli.printing import print_json, print_table

__all__ = ["print_report"]


def print_report(examined: Iterable[Examined], as_json: bool) -> int:
    """A table, or JSON; exit code 1 when anything fails."""
    rows = [(one.check, finding) for one in examined for finding in one.findings]
    counts = Counter(finding.level for _, finding in rows)
    if as_json:
        print_json(
            {
                "findings": [
                    {
                        "check": check,
                        "level": str(finding.level),
                        "about": finding.about,
                        "message": finding.message,
                        "remedy": finding.remedy or None,
                    }
                    for check, finding in rows
                ],
                **{str(level): counts[level] for level in Level},
            }
        )
    else:
        print_table(
            ["", "check", "about", "what was found"],
            [
                [
                    finding.level.upper() if finding.level is Level.FAIL else str(finding.level),
                    check,
                    finding.about,
                    f"{finding.message}; remedy: {finding.remedy}" if finding.remedy else finding.message,
                ]
                for check, finding in rows
            ],
        )
        sys.stderr.write(f"{counts[Level.OK]} ok, {counts[Level.WARN]} warnings, {counts[Level.FAIL]} failures\n")
    return 1 if counts[Level.FAIL] else 0
