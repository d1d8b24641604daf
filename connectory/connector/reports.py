"""What a connector reports about a job, checked, converted and without secrets."""

from typing import Any

from connectory.connector.contract import Phase, Resource
from connectory.connector.outputs import OutputWriter
from connectory.connector.registry import Registration
from connectory.connector.resources import describe, known_phase, without_secrets
from connectory.errors import InternalError
from connectory.types import ConversionContext, TypeRegistry
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import interface_pb2

__all__ = ["Reports"]


class Reports:
    """Turns reports into messages."""

    def __init__(self, types: TypeRegistry) -> None:
        self._outputs = OutputWriter(types)
        self._unknown_phases: set[tuple[str, int]] = set()

    def describe(self, message: pb.Resource, registration: Registration, resource: Any) -> bool:
        """Say in an empty message all that a report says but its outputs; whether `write_outputs` must follow.

        A report that is a message already is copied, without the secrets that were read here.
        """
        if not isinstance(resource, Resource):
            if isinstance(resource, pb.Resource):
                message.CopyFrom(without_secrets(resource, registration.redactor))
                return False
            raise InternalError(f"connector {registration.name} answered a {type(resource).__name__}, not a Resource")
        phase = known_phase(resource.phase, registration, self._unknown_phases)
        describe(message, resource, phase, registration)
        return phase is Phase.SUCCEEDED and resource.outputs is not None

    async def write_outputs(
        self,
        message: pb.Resource,
        registration: Registration,
        resource: Resource,
        declared: interface_pb2.VariableMap | bytes,
        conversion: ConversionContext,
    ) -> None:
        """Add the outputs of a job that has succeeded; without any nothing happens."""
        if resource.outputs is None:
            return
        await self._outputs.write(message, resource.outputs, declared, registration, conversion)

    async def message(
        self,
        registration: Registration,
        resource: Any,
        declared: interface_pb2.VariableMap | bytes,
        conversion: ConversionContext,
    ) -> pb.Resource:
        """The message of a report, with its outputs when the job has succeeded."""
        message = pb.Resource()
        if self.describe(message, registration, resource):
            await self.write_outputs(message, registration, resource, declared, conversion)
        return message

    async def final_message(
        self,
        registration: Registration,
        resource: Any,
        declared: interface_pb2.VariableMap,
        conversion: ConversionContext,
    ) -> pb.Resource:
        """The message of a report that must be the last one."""
        message = await self.message(registration, resource, declared, conversion)
        if not Phase(message.phase).is_terminal:
            raise InternalError(
                f"connector {registration.name} ended with phase {resource.phase!r}, which is not the end of a task"
            )
        return message
