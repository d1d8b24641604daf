"""The program."""

import logging
import os
import sys
from collections.abc import Sequence
from typing import Final

from connectory.execute.arguments import parse
from connectory.execute.run import execute

__all__ = ["main"]

_FAIL_SETTINGS: Final = ("CONNECTORY_FAIL_ON_ERROR", "FLYTE_FAIL_ON_ERROR")
_YES: Final = frozenset({"1", "true", "yes", "on", "t"})


def main(words: Sequence[str] | None = None) -> int:
    """Run one task. The code is 0 also when the task failed, because `error.pb` says so to the engine.

    Engines that look at the code instead set CONNECTORY_FAIL_ON_ERROR; then it is 1.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    error = execute(parse(sys.argv[1:] if words is None else words))
    sys.stdout.flush()
    if error is None:
        return 0
    sys.stderr.write(f"the task failed, by {error.kind} ({error.code}): {error.message}\n{error.traceback}\n")
    return 1 if any(os.environ.get(name, "").lower() in _YES for name in _FAIL_SETTINGS) else 0
