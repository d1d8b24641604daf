"""The runner's side of code that calls nodes while it runs."""

import asyncio

from workflow_runner.plugins.node_calls import CallEnd, NodeCalls
from workflow_runner.python.messages import Answered, Asked, Failed

__all__ = ["answered"]


def answered(calls: NodeCalls, asked: Asked) -> "asyncio.Future[Answered]":
    """The answer to what the code asked for; cancelling it ends nothing."""
    answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()

    def ended(end: "asyncio.Future[CallEnd]") -> None:
        if not answer.done() and not end.cancelled():
            answer.set_result(_answer(asked.call, end.result()))

    calls.begin(asked.call, asked.spec, asked.inputs, asked.launch_plans).add_done_callback(ended)
    return answer


def _answer(call: str, end: CallEnd) -> Answered:
    failure = end.failure
    if failure is None:
        return Answered(call=call, outputs=end.outputs)
    failed = Failed(
        code=failure.code,
        message=failure.message,
        kind="user" if failure.kind == "user" else "system",
        recoverable=failure.recoverable,
    )
    return Answered(call=call, failed=failed)
