"""A world for the engine: it performs commands by remembering them, and answers when a test says so."""

from collections.abc import Sequence

from connectory.v1 import launch_plan_pb2, literals_pb2, workflow_pb2
from workflow_runner.engine.apply import apply, apply_all
from workflow_runner.engine.calls import is_answerable
from workflow_runner.engine.commands import (
    AnswerCall,
    CloseExecution,
    Command,
    GiveUp,
    LookUp,
    Remember,
    SetTimer,
    StartAttempt,
    StopAttempt,
)
from workflow_runner.engine.events import (
    AbortRequested,
    AttemptExpanded,
    AttemptFailed,
    AttemptProgressed,
    AttemptStopped,
    AttemptSucceeded,
    CacheAnswered,
    Event,
    ExecutionStarted,
    JobsHandedOver,
    NodeCalled,
    NodeWithdrawn,
    SignalGiven,
    TimerFired,
    decode_event,
    encode_event,
)
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.outstanding import outstanding
from workflow_runner.engine.rules import LAUNCH_PLANS_COUNT, RULES
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ROOT, ExecutionPhase, NodePhase, NodeState, State
from workflow_runner.recovery import recovering

_PLACED = (NodePhase.QUEUED, NodePhase.RUNNING, NodePhase.STOPPING)


class World:
    """What is outside the engine, as the engine asked for it."""

    def __init__(
        self,
        closure: workflow_pb2.CompiledWorkflowClosure,
        inputs: literals_pb2.LiteralMap | None = None,
        settings: ExecutionSettings | None = None,
        earlier: State | None = None,
        *,
        launch_plans: Sequence[launch_plan_pb2.LaunchPlan] = (),
        rules: int = RULES,
    ) -> None:
        self.now = 1000.0
        self.state = State()
        self.log: list[Event] = []
        self.started: list[str] = []
        self.jobs: dict[tuple[str, int], bool] = {}
        """Attempts that run, and whether each is being stopped."""
        self.timers: set[tuple[str, str, int]] = set()
        self.lookups: set[tuple[str, int]] = set()
        """Results that are looked up."""
        self.claims: set[str] = set()
        """Nodes that were told to work out a result that others may wait for."""
        self.kept: dict[str, bytes] = {}
        """The cache."""
        self.answers: dict[tuple[str, int], set[str]] = {}
        """What attempts that call nodes were told to have ended."""
        self.closed = 0
        self.most_running = 0
        first = ExecutionStarted(
            at=self.now,
            execution="x",
            closure=closure.SerializeToString(),
            inputs=(inputs or literals_pb2.LiteralMap()).SerializeToString(),
            launch_plans=tuple(plan.SerializeToString() for plan in launch_plans),
            settings=settings or ExecutionSettings(),
            rules=rules,
        )
        self.happen(first if earlier is None else recovering(earlier, first))

    def happen(self, event: Event) -> list[Command]:
        before = self.state
        self.state, commands = apply(before, event)
        self.log.append(event)
        for command in commands:
            self._perform(command)
        self.most_running = max(self.most_running, self.running())
        for path, node in self.state.nodes.items():
            most = self._most_inside(node)
            assert most == 0 or self.running(path) <= most, "no launch plan has more run inside of it than it allows"
        return commands

    def _perform(self, command: Command) -> None:
        if isinstance(command, StartAttempt):
            assert not self._is_ending(command.node), "nothing begins in a workflow that is ending"
            self.started.append(command.key)
            self.jobs[command.node, command.attempt] = False
        elif isinstance(command, StopAttempt):
            assert (command.node, command.attempt) in self.jobs, "only what runs is stopped"
            self.jobs[command.node, command.attempt] = True
        elif isinstance(command, LookUp):
            self.lookups.add((command.node, command.attempt))
        elif isinstance(command, GiveUp):
            self.claims.discard(command.node)
        elif isinstance(command, Remember):
            self.claims.discard(command.node)
            assert self.kept.setdefault(command.key, command.outputs) == command.outputs, "one key has one result"
        elif isinstance(command, SetTimer):
            self.timers.add((command.kind, command.node, command.attempt))
        elif isinstance(command, AnswerCall):
            self.answers.setdefault((command.node, command.attempt), set()).add(command.call)
        elif isinstance(command, CloseExecution):
            self.closed += 1

    def succeed(self, node: str, **outputs: literals_pb2.Literal) -> list[Command]:
        attempt = self._attempt(node)
        produced = literals_pb2.LiteralMap(literals=outputs).SerializeToString()
        if not self.jobs[node, attempt]:
            del self.jobs[node, attempt]
        return self.happen(AttemptSucceeded(at=self.tick(), node=node, attempt=attempt, outputs=produced))

    def fail(self, node: str, *, live: bool = False, **facts: object) -> list[Command]:
        attempt = self._attempt(node)
        failure = Failure(**{"code": "BROKEN", "message": "broken", **facts})  # type: ignore[arg-type]
        if not live and not self.jobs[node, attempt]:
            del self.jobs[node, attempt]
        return self.happen(AttemptFailed(at=self.tick(), node=node, attempt=attempt, failure=failure, live=live))

    def progress(self, node: str, phase: int) -> list[Command]:
        return self.happen(AttemptProgressed(at=self.tick(), node=node, attempt=self._attempt(node), phase=phase))

    def stopped(self, node: str, unconfirmed: str = "") -> list[Command]:
        attempt = self._attempt(node)
        del self.jobs[node, attempt]
        return self.happen(AttemptStopped(at=self.tick(), node=node, attempt=attempt, unconfirmed=unconfirmed))

    def expand(self, node: str, spec: workflow_pb2.DynamicJobSpec) -> list[Command]:
        attempt = self._attempt(node)
        if not self.jobs[node, attempt]:
            del self.jobs[node, attempt]
        made = spec.SerializeToString(deterministic=True)
        return self.happen(AttemptExpanded(at=self.tick(), node=node, attempt=attempt, spec=made))

    def call(
        self, node: str, call: str, spec: workflow_pb2.DynamicJobSpec, inputs: literals_pb2.LiteralMap
    ) -> list[Command]:
        """What runs asks for a node; what is known to have ended is told at once, as the driver does."""
        attempt = self._attempt(node)
        scope, child = self.state.scopes.get(node), self.state.nodes.get(f"{node}.{call}")
        if scope is not None and call in scope.graph.nodes and child is not None and is_answerable(child):
            self.answers.setdefault((node, attempt), set()).add(call)
            return []
        made, given = spec.SerializeToString(deterministic=True), inputs.SerializeToString(deterministic=True)
        return self.happen(NodeCalled(at=self.tick(), node=node, attempt=attempt, call=call, spec=made, inputs=given))

    def withdraw(self, node: str, call: str) -> list[Command]:
        return self.happen(NodeWithdrawn(at=self.tick(), node=node, attempt=self._attempt(node), call=call))

    def signal(self, signal: str, value: literals_pb2.Literal) -> list[Command]:
        return self.happen(SignalGiven(at=self.tick(), signal=signal, value=value.SerializeToString()))

    def look_up(self, node: str, attempt: int) -> list[Command]:
        """The cache answers as it is."""
        self.lookups.discard((node, attempt))
        current = self.state.nodes[node]
        outputs = self.kept.get(current.cache_key)
        if outputs is None and (current.attempt, current.phase) == (attempt, NodePhase.LOOKING):
            self.claims.add(node)
        return self.happen(CacheAnswered(at=self.tick(), node=node, attempt=attempt, outputs=outputs, source="kept"))

    def ring(self, kind: str, node: str, attempt: int) -> list[Command]:
        self.timers.discard((kind, node, attempt))
        return self.happen(TimerFired(at=self.tick(), kind=kind, node=node, attempt=attempt))

    def hand_over(self, nodes: Sequence[str]) -> list[Command]:
        """Somebody else looks after these attempts."""
        for path in nodes:
            del self.jobs[path, self._attempt(path)]
        return self.happen(JobsHandedOver(at=self.tick(), to="y", nodes=tuple(nodes)))

    def abort(self, cause: str = "enough") -> list[Command]:
        return self.happen(AbortRequested(at=self.tick(), cause=cause))

    def tick(self) -> float:
        self.now += 1
        return self.now

    def phase(self, node: str) -> NodePhase:
        return self.state.nodes[node].phase

    def check(self) -> None:
        """What holds at every moment."""
        rebuilt, _ = apply_all(State(), [decode_event(encode_event(event)) for event in self.log])
        assert rebuilt == self.state, "the log leads to the same state"
        assert len(self.started) == len(set(self.started)), "no attempt is started twice"
        waiting = outstanding(self.state)
        running = {
            (command.node, command.attempt): isinstance(command, StopAttempt)
            for command in waiting
            if isinstance(command, StartAttempt | StopAttempt)
        }
        assert running == self.jobs, "what runs outside is what the state says"
        assert {(t.kind, t.node, t.attempt) for t in waiting if isinstance(t, SetTimer)} <= self.timers
        assert self.state.running == self.running()
        self._check_queue()
        assert {(c.node, c.attempt) for c in waiting if isinstance(c, LookUp)} <= self.lookups
        if self.state.phase.is_terminal:
            assert not self.jobs, "nothing runs once the execution has ended"
            assert not self.claims, "nobody waits for a result that nobody works out"
            assert self.closed == 1
            assert all(n.phase.is_terminal for n in self.state.nodes.values())
            assert not self.state.scopes
        if self.state.phase is ExecutionPhase.SUCCEEDED:
            assert all(n.phase is NodePhase.SUCCEEDED for n in self.state.nodes.values() if n.scope == ROOT)

    def running(self, within: str = ROOT) -> int:
        """How many attempts run inside a node that take a place: those that call nodes take none."""
        inside = f"{within}." if within != ROOT else ""
        return sum(path.startswith(inside) and not self.state.nodes[path].spec.is_eager for path, _ in self.jobs)

    def _most_inside(self, node: NodeState) -> int:
        return node.spec.most_at_once if self.state.rules >= LAUNCH_PLANS_COUNT else 0

    def _check_queue(self) -> None:
        """Nobody waits for a place unless some bound around it is reached, and what is over holds none."""
        nodes = self.state.nodes
        is_full = 0 < self.state.settings.max_parallelism <= self.running()
        for path, node in nodes.items():
            if node.phase is not NodePhase.QUEUED:
                continue
            steps = path.split(".")
            around = [".".join(steps[:depth]) for depth in range(1, len(steps))]
            bounds = [(each, most) for each in around if (most := self._most_inside(nodes[each]))]
            assert is_full or any(self.running(each) >= most for each, most in bounds)
        assert all(nodes[path].phase in _PLACED for path in self.state.places)
        assert sum(self.state.taken.values()) == sum(self.state.places.values())

    def _is_ending(self, node: str) -> bool:
        """Whether a workflow around the node is ending, and the node is no part of what is run because of that."""
        steps = node.split(".")
        for depth in range(len(steps)):
            scope = self.state.scopes.get(".".join(steps[:depth]))
            within = self.state.nodes[".".join(steps[: depth + 1])]
            if scope is not None and scope.ending is not None and not within.is_handler:
                return True
        return False

    def _attempt(self, node: str) -> int:
        return max(attempt for path, attempt in self.jobs if path == node)
