"""What the code of an eager task calls is run by the runner: asked for under ids that are the same at every run."""

import asyncio
import builtins
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock

from connectory.authoring.entity import Entity
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.template import CompileSettings
from connectory.compiler import CompiledCall, compile_call
from connectory.v1 import literals_pb2
from workflow_runner.python.messages import Answered, Asked, Failed, Withdrawn
from workflow_runner.sources import mark_sources

__all__ = ["RemoteCalls"]

_DIGITS = 8


class RemoteCalls:
    """Hands calls on through `send` and gives their results once `deliver` brings them. Usable from any thread.

    A call is known by what is called, with which inputs, and how often that was called before. So code that is run
    again, and does the same with the same results, finds what it called before, in whatever order results come.
    """

    def __init__(
        self,
        settings: CompileSettings,
        send: Callable[[Asked | Withdrawn], None],
        *,
        output_prefix: str = "",
        compile_one: Callable[[Entity, str, CompileSettings], CompiledCall] = compile_call,
    ) -> None:
        self._settings = settings
        self._compile = compile_one
        self._send = send
        self._prefix = output_prefix
        self._lock = Lock()
        self._times: Counter[str] = Counter()
        self._waiting: dict[str, Future[literals_pb2.LiteralMap]] = {}
        self._is_over = False

    def run(self, entity: Entity, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Block until the call has ended."""
        _, future = self._ask(entity, literals)
        return future.result()

    async def run_async(self, entity: Entity, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Wait until the call has ended; cancelled, withdraw it."""
        call, future = self._ask(entity, literals)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if self._forget(call) is not None:
                self._send(Withdrawn(call=call))
            raise

    def deliver(self, answered: Answered) -> None:
        """A call has ended."""
        future = self._forget(answered.call)
        if future is None or not future.set_running_or_notify_cancel():
            return
        if answered.failed is not None:
            future.set_exception(_exception(answered.failed))
        else:
            future.set_result(literals_pb2.LiteralMap.FromString(answered.outputs))

    def abandon(self) -> None:
        """Nothing is answered any more: let the code end, as if it were cancelled wherever it waits."""
        with self._lock:
            self._is_over = True
            waiting, self._waiting = list(self._waiting.values()), {}
        for future in waiting:
            future.cancel()

    def _ask(self, entity: Entity, literals: literals_pb2.LiteralMap) -> tuple[str, Future[literals_pb2.LiteralMap]]:
        name = f"{_plain(entity.short_name)}-{self._digest(literals)}"
        future: Future[literals_pb2.LiteralMap] = Future()
        with self._lock:
            if self._is_over:
                raise asyncio.CancelledError
            times = self._times[name]
            self._times[name] += 1
            call = f"{name}-{times}" if times else name
            self._waiting[call] = future
        made = self._compile(entity, call, self._settings)
        mark_sources(made.spec.tasks)
        asked = Asked(
            call=call,
            spec=made.spec.SerializeToString(deterministic=True),
            inputs=literals.SerializeToString(deterministic=True),
            launch_plans=tuple(plan.SerializeToString(deterministic=True) for plan in made.launch_plans),
        )
        self._send(asked)
        return call, future

    def _forget(self, call: str) -> Future[literals_pb2.LiteralMap] | None:
        with self._lock:
            return self._waiting.pop(call, None)

    def _digest(self, literals: literals_pb2.LiteralMap) -> str:
        known = literals_pb2.LiteralMap()
        for name, literal in literals.literals.items():
            known.literals[name].CopyFrom(self._known_by(literal))
        return hashlib.sha256(known.SerializeToString(deterministic=True)).hexdigest()[:_DIGITS]

    def _known_by(self, literal: literals_pb2.Literal) -> literals_pb2.Literal:
        """A literal without what differs from run to run: what this task wrote is known by its name."""
        if literal.hash:
            return literals_pb2.Literal(hash=literal.hash)
        known = literals_pb2.Literal()
        match literal.WhichOneof("value"):
            case "collection":
                known.collection.literals.extend(self._known_by(item) for item in literal.collection.literals)
            case "map":
                for name, item in literal.map.literals.items():
                    known.map.literals[name].CopyFrom(self._known_by(item))
            case _:
                known.CopyFrom(literal)
                self._shorten(known.scalar if literal.HasField("scalar") else literals_pb2.Scalar())
        return known

    def _shorten(self, scalar: literals_pb2.Scalar) -> None:
        kind = scalar.WhichOneof("value")
        if kind == "union":
            scalar.union.value.CopyFrom(self._known_by(scalar.union.value))
        elif kind in ("blob", "structured_dataset") and self._prefix:
            held = getattr(scalar, kind)
            if held.uri.startswith(self._prefix):
                held.uri = held.uri.rpartition("/")[2]


def _plain(name: str) -> str:
    """A name that can be part of a node's path."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name.removesuffix("-arraynode").rpartition(".")[2]) or "call"


def _exception(failed: Failed) -> TaskFailedError:
    """What the code sees: a TaskFailedError that is also of the built-in class that the called task raised, if any."""
    kind = getattr(builtins, failed.code, None)
    facts = {"kind": failed.kind, "code": failed.code, "recoverable": failed.recoverable}
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            both = type(failed.code, (TaskFailedError, kind), {})
            error: TaskFailedError = both(failed.message, **facts)
            return error
        except TypeError:  # a class that is made of more than a message
            pass
    return TaskFailedError(failed.message, **facts)  # type: ignore[arg-type]
