"""`connectory cache`: which results are kept, and why one was or was not reused."""

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import uvloop

from connectory.types import default_types
from connectory.v1 import literals_pb2
from connectory_cli.home import places
from connectory_cli.printing import outputs_json, print_json, print_table
from connectory_cli.sessions import require_execution
from workflow_runner.cache.explaining import Difference, Explanation, explain
from workflow_runner.store.contract import Store
from workflow_runner.store.opening import open_store

__all__ = ["clear_cache", "explain_node", "list_cache"]

T = TypeVar("T")
_VERDICTS = {
    "hit": "its result was taken from the cache",
    "miss": "there was no result under its key, so it was worked out",
    "overwritten": "it was worked out anew, because the execution, or a launch plan around it, overwrites the cache",
    "not cached": "results of this task are not kept: give it cache=True",
    "not reached": "it has not got so far",
    "taken over": "its result was taken over from the execution that was recovered",
}


def explain_node(store: str | None, execution: str, node: str, as_json: bool) -> int:
    """Print the parts of the node's key beside those of the results most like it."""
    require_execution(places(store), execution)
    found = _ask(store, lambda opened: explain(opened, execution, node))
    if as_json:
        print_json(_json(found))
        return 0
    sys.stdout.write(f"{node} {found.task}: {_VERDICTS[found.verdict]}\n")
    facts = {
        "key": found.key,
        "version": found.version,
        "result of": found.source,
        "ignored inputs": ", ".join(found.ignored),
        "oldest that counts": f"{found.max_age:g} s" if found.max_age else "",
    }
    for name, value in facts.items():
        if value:
            sys.stdout.write(f"{name}: {value}\n")
    rows = [
        [each.source, f"{each.kept_at:%Y-%m-%d %H:%M:%S}Z", each.unknown or "; ".join(map(_told, each.differences))]
        for each in found.nearest
    ]
    if rows:
        sys.stdout.write("\n")
        print_table(["another result of", "kept", "what differs"], rows)
    return 0


def list_cache(store: str | None, task: str, limit: int, as_json: bool) -> int:
    """Print results, those first that were kept last."""
    prefix = _prefix(task)
    entries = _ask(store, lambda opened: opened.cache.entries(prefix, limit))
    rows = [
        {
            "key": entry.key,
            "source": entry.source,
            "kept": datetime.fromtimestamp(entry.kept_at, UTC).isoformat(),
            "bytes": entry.size,
        }
        for entry in entries
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ["kept", "bytes", "result of", "key"],
            [[str(row["kept"]), str(row["bytes"]), str(row["source"]), str(row["key"])] for row in rows],
        )
    return 0


def clear_cache(store: str | None, task: str) -> int:
    """Forget results."""
    prefix = _prefix(task)
    count = _ask(store, lambda opened: opened.cache.clear(prefix))
    sys.stdout.write(f"{count} results are forgotten\n")
    return 0


def _prefix(task: str) -> str:
    """What keys of a task's results begin with; a name without a place is one of `connectory run`."""
    if not task:
        return ""
    return f"{task}:" if task.count(":") >= 2 else f"default:development:{task}:"


def _ask(store: str | None, question: Callable[[Store], Awaitable[T]]) -> T:
    where = places(store)

    async def session() -> T:
        async with open_store(where.store) as opened:
            return await question(opened)

    return uvloop.run(session())


def _told(difference: Difference) -> str:
    if difference.here is None and difference.there is None:
        return difference.part
    return f"{difference.part}: {_value(difference.here)} here, {_value(difference.there)} there"


def _value(value: literals_pb2.Literal | str | None) -> Any:
    if not isinstance(value, literals_pb2.Literal):
        return "nothing" if value is None else value
    if value.hash:
        return f"hash {value.hash}"
    (plain,) = outputs_json(literals_pb2.LiteralMap(literals={"value": value}), default_types()).values()
    text = str(plain)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _json(found: Explanation) -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "task": found.task,
        "version": found.version,
        "key": found.key or None,
        "source": found.source or None,
        "ignored_inputs": list(found.ignored),
        "max_age": found.max_age or None,
        "nearest": [
            {
                "source": each.source,
                "kept_at": each.kept_at.isoformat(),
                "unknown": each.unknown or None,
                "differences": [
                    {"part": one.part, "here": _value(one.here), "there": _value(one.there)} for one in each.differences
                ],
            }
            for each in found.nearest
        ],
    }
