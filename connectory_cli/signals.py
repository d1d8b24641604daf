"""`connectory executions signals|signal|approve`: what gates wait for, and answers to them."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import uvloop

from connectory.types import default_types
from connectory.v1 import literals_pb2
from connectory_cli.home import places
from connectory_cli.inputs import declared_literal
from connectory_cli.printing import outputs_json, print_json, print_table
from connectory_cli.sessions import require_execution
from workflow_runner.runner import Runner
from workflow_runner.signals import SignalView
from workflow_runner.store.opening import open_store

__all__ = ["approve", "give_signal", "list_signals", "literal_of_text", "print_signals"]


def list_signals(store: str | None, execution: str, as_json: bool) -> int:
    """Print what gates of an execution wait for, or have waited for."""
    where = places(store)
    require_execution(where, execution)

    async def session() -> Sequence[SignalView]:
        async with Runner(open_store(where.store), []) as runner:
            return await runner.signals(execution)

    print_signals(uvloop.run(session()), as_json)
    return 0


def print_signals(found: Sequence[SignalView], as_json: bool) -> None:
    """Print what gates wait for."""
    types = default_types()
    rows: list[dict[str, Any]] = [
        {
            "signal": view.id,
            "kind": "approval" if view.is_approval else "value",
            "state": "answered" if view.answer is not None else "waiting" if view.is_waiting else "later",
            "nodes": list(view.nodes),
            "about": outputs_json(view.shown, types),
            "until": view.deadline.isoformat() if view.deadline is not None else None,
        }
        for view in found
    ]
    if as_json:
        print_json(rows)
    else:
        about = [", ".join(f"{name} = {value}" for name, value in row["about"].items()) for row in rows]
        print_table(
            ["signal", "kind", "state", "about"],
            [[r["signal"], r["kind"], r["state"], text] for r, text in zip(rows, about, strict=True)],
        )


def give_signal(store: str | None, execution: str, signal: str, text: str) -> int:
    """Answer with a value of the type that the gate declares."""

    async def session(runner: Runner) -> literals_pb2.Literal:
        return literal_of_text(await runner.signals(execution), signal, text)

    return _answer(store, execution, signal, session)


def literal_of_text(views: Sequence[SignalView], signal: str, text: str) -> literals_pb2.Literal:
    """An answer of the type that the gate declares; for a gate that there is none of, anything: it is refused."""
    declared = next((view.type for view in views if view.id == signal), None)
    if declared is None:
        return literals_pb2.Literal()  # the runner's own error lists the signals that there are
    return declared_literal(signal, text, declared, default_types())


def approve(store: str | None, execution: str, signal: str, approved: bool) -> int:
    """Say yes or no."""

    async def session(runner: Runner) -> literals_pb2.Literal:
        literal = literals_pb2.Literal()
        literal.scalar.primitive.boolean = approved
        return literal

    return _answer(store, execution, signal, session)


def _answer(
    store: str | None, execution: str, signal: str, answer: Callable[[Runner], Awaitable[literals_pb2.Literal]]
) -> int:
    where = places(store)
    require_execution(where, execution)

    async def session() -> None:
        async with Runner(open_store(where.store), []) as runner:
            await runner.signal(execution, signal, await answer(runner))

    uvloop.run(session())
    sys.stdout.write(f"{execution}: {signal} is answered\n")
    return 0
