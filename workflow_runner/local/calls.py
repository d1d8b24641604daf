"""What the code of an eager task calls in this process: nodes of the same execution, as in the runner."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from connectory.authoring.entity import Entity
from connectory.v1 import literals_pb2
from workflow_runner.local.compilation import SETTINGS, fixed_inputs
from workflow_runner.local.names import Names
from workflow_runner.local.programs import call_of
from workflow_runner.python.eager import RemoteCalls
from workflow_runner.python.messages import Answered, Asked, Withdrawn

__all__ = ["LocalCalls"]


class LocalCalls(RemoteCalls):
    """Knows the objects that are called, and raises the very exceptions that their code raised."""

    def __init__(self, names: Names, send: Callable[[Asked | Withdrawn], None]) -> None:
        super().__init__(SETTINGS, send, compile_one=lambda entity, call, settings: call_of(entity, call, names))

    def succeed(self, call: str, outputs: literals_pb2.LiteralMap) -> None:
        """A call has ended with these outputs."""
        self.deliver(Answered(call=call, outputs=outputs.SerializeToString(deterministic=True)))

    def fail(self, call: str, error: Exception) -> None:
        """A call has ended without success."""
        future = self._forget(call)
        if future is not None and future.set_running_or_notify_cancel():
            future.set_exception(error)

    def _ask(self, entity: Entity, literals: literals_pb2.LiteralMap) -> tuple[str, Future[literals_pb2.LiteralMap]]:
        fixed = fixed_inputs(entity)
        if fixed.literals:
            literals = literals_pb2.LiteralMap(literals={**literals.literals, **fixed.literals})
        return super()._ask(entity, literals)
