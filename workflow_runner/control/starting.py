"""Accepting executions, and letting the runner begin them.

What is accepted is kept before it begins, so that an execution whose server ended in between is begun by the next one,
and the same name twice is one execution.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from connectory.errors import (
    AlreadyExistsError,
    ConnectoryError,
    InvalidTaskError,
    NotFoundError,
    SettingsError,
    StoreError,
    TypeConversionError,
    UserError,
)
from connectory.types.structure_check import check_structures
from connectory.v1 import control_pb2
from workflow_runner.again import NewCode, compare, recover
from workflow_runner.control.assembly import Launchable, assemble
from workflow_runner.control.catalog.contract import Catalog, ExecutionKey, KnownExecution
from workflow_runner.control.identifiers import execution_key, require_place
from workflow_runner.control.launching import Launch, given_inputs, launch_of
from workflow_runner.engine.program import program_of
from workflow_runner.naming import require_execution_id
from workflow_runner.recovery import NodeChange
from workflow_runner.runner import Runner
from workflow_runner.store.contract import ExecutionExistsError

__all__ = ["Starting"]

_log = logging.getLogger("connectory.runner")


class Starting:
    """Accepts executions and begins them."""

    def __init__(
        self,
        catalog: Catalog,
        runner: Runner,
        *,
        output_prefix: str,
        clock: Callable[[], float],
        allowed_prefixes: Sequence[str] | None = None,
    ) -> None:
        self._catalog = catalog
        self._runner = runner
        self._output_prefix = output_prefix
        self._allowed_prefixes = allowed_prefixes
        self._clock = clock

    async def start(self, request: control_pb2.ExecutionCreateRequest) -> ExecutionKey:
        """Accept an execution and begin it; once this returns, it survives a crash."""
        require_place(request.project, request.domain)
        what = await assemble(self._catalog, request.spec.launch_plan)
        launch = launch_of(what, request, output_prefix=self._output_prefix, allowed_prefixes=self._allowed_prefixes)
        require_structures(request, launch)
        program_of(launch.closure, launch.launch_plans)  # refuses what cannot be run before anything is kept
        most = what.plan.spec.concurrency_policy.max
        known = await self._accept(_known(request, what, launch, self._clock()), most)
        try:
            await self._begin(known, request, launch)
        except Exception as error:
            if not isinstance(error, StoreError):  # it never can
                await self._catalog.forget(known.key)
            raise
        return known.key

    async def compare(self, request: control_pb2.ExecutionCreateRequest) -> Sequence[NodeChange]:
        """What would become of each node if this were started, which recovers another execution. Nothing is changed."""
        what = await assemble(self._catalog, request.spec.launch_plan)
        launch = launch_of(what, request, output_prefix=self._output_prefix, allowed_prefixes=self._allowed_prefixes)
        earlier = await self._earlier(request)
        code = _new_code(earlier, request, launch)
        return await compare(self._runner, earlier.id, code=code, rerun=request.spec.metadata.rerun)

    async def begin(self, known: KnownExecution) -> None:
        """Begin an execution that was accepted before, unless it has begun."""
        if known.phase != "QUEUED":
            return
        request = control_pb2.ExecutionCreateRequest.FromString(known.request)
        what = await assemble(self._catalog, request.spec.launch_plan)
        launch = launch_of(what, without_fixed(request, what), output_prefix=self._output_prefix)
        await self._begin(known, request, launch)

    async def begin_waiting(self) -> None:
        """Begin whatever was accepted by a server that ended before it could."""
        for known in await self._catalog.waiting():
            try:
                await self.begin(known)
            except StoreError:
                raise
            except ConnectoryError as error:
                _log.error("execution %s was accepted and cannot begin: %s", known.name, error)
            except Exception:
                _log.exception("execution %s was accepted and cannot begin", known.name)

    async def _accept(self, wanted: KnownExecution, most: int) -> KnownExecution:
        """Keep it under its name, or under one like it where the runner has another execution of that name."""
        taken = await self._catalog.accept(wanted, most=most)
        while taken == "id":
            wanted = replace(wanted, id=f"{wanted.name[:54]}-{secrets.token_hex(4)}")
            taken = await self._catalog.accept(wanted, most=most)
        if taken == "place":
            raise UserError(
                f"launch plan {wanted.launch_plan!r} has {most} executions that have not ended, and allows no more at"
                " once; wait for one to end, or terminate one",
                reason="CONCURRENCY_LIMIT",
            )
        if taken == "name":
            place = f"{wanted.project}, {wanted.domain}"
            raise AlreadyExistsError(f"there is an execution {wanted.name!r} in {place}; choose another name")
        return wanted

    async def _earlier(self, request: control_pb2.ExecutionCreateRequest) -> KnownExecution:
        """The execution that this one goes on with."""
        named = request.spec.metadata.reference_execution
        earlier = await self._catalog.execution(execution_key(named))
        if earlier is None:
            raise NotFoundError(f"there is no execution {named.name!r} to go on with")
        return earlier

    async def _begin(self, known: KnownExecution, request: control_pb2.ExecutionCreateRequest, launch: Launch) -> None:
        metadata = request.spec.metadata
        try:
            if metadata.mode == control_pb2.ExecutionMetadata.RECOVERED:
                earlier = await self._earlier(request)
                code = _new_code(earlier, request, launch)
                await recover(self._runner, earlier.id, name=known.id, code=code, rerun=metadata.rerun)
                return
            await self._runner.start(
                launch.closure,
                launch.inputs,
                execution_id=known.id,
                project=known.project,
                domain=known.domain,
                launch_plans=launch.launch_plans,
                settings=launch.settings,
            )
        except ExecutionExistsError:
            return  # begun before


def require_structures(request: control_pb2.ExecutionCreateRequest, launch: Launch) -> None:
    """Refuse inputs whose parts are not those of their declared classes; InvalidTaskError names the first.

    What an earlier execution began with is not looked at again when that is gone on with.
    """
    if request.spec.metadata.mode == control_pb2.ExecutionMetadata.RECOVERED:
        return
    try:
        check_structures(given_inputs(request), launch.closure.primary.template.interface.inputs)
    except TypeConversionError as error:
        raise InvalidTaskError(f"inputs: {error}") from error


def _new_code(earlier: KnownExecution, request: control_pb2.ExecutionCreateRequest, launch: Launch) -> NewCode | None:
    """What is run instead of what the earlier execution ran; None: the same."""
    asked, before = request.spec.launch_plan, control_pb2.ExecutionCreateRequest.FromString(earlier.request)
    if asked == before.spec.launch_plan:
        return None
    name = launch.closure.primary.template.id.name
    if name != earlier.workflow:
        raise InvalidTaskError(
            f"{asked.name!r} in version {asked.version!r} runs {name!r}, and execution {earlier.name!r} ran"
            f" {earlier.workflow!r}; name another version of what it ran"
        )
    return NewCode(closure=launch.closure, launch_plans=launch.launch_plans, inputs=launch.inputs)


def without_fixed(request: control_pb2.ExecutionCreateRequest, what: Launchable) -> control_pb2.ExecutionCreateRequest:
    """The request with those inputs only that can be given."""
    result = control_pb2.ExecutionCreateRequest()
    result.CopyFrom(request)
    for name in what.plan.spec.fixed_inputs.literals:
        result.inputs.literals.pop(name, None)
    return result


def _known(request: control_pb2.ExecutionCreateRequest, what: Launchable, launch: Launch, now: float) -> KnownExecution:
    name = request.name or f"e{secrets.token_hex(9)}"
    try:
        require_execution_id(name, called="name")
    except SettingsError as error:
        raise InvalidTaskError(str(error)) from error
    kept = control_pb2.ExecutionCreateRequest()
    kept.CopyFrom(request)
    kept.name = name
    kept.inputs.CopyFrom(launch.inputs)
    kept.spec.ClearField("inputs")
    asked, workflow = request.spec.launch_plan, what.closure.primary.template.id
    return KnownExecution(
        project=request.project,
        domain=request.domain,
        name=name,
        id=name,
        request=kept.SerializeToString(deterministic=True),
        mode=control_pb2.ExecutionMetadata.ExecutionMode.Name(request.spec.metadata.mode),
        launch_plan="" if what.task else asked.name,
        launch_plan_version="" if what.task else asked.version,
        workflow=workflow.name,
        workflow_version=workflow.version,
        task=what.task,
        created_at=now,
    )
