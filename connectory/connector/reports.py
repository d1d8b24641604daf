"""What a connector reports about a job, checked, converted and without secrets."""

from typing import Any

from connectory.connector.contract import Phase, Resource
from connectory.connector.outputs import OutputWriter
from connectory.connector.registry import Registration
from connectory.connector.resources import known_phase, to_message, without_secrets
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

    async def message(
        self,
        registration: Registration,
        resource: Any,
        declared: interface_pb2.VariableMap | bytes,
        conversion: ConversionContext,
    ) -> pb.Resource:
        """The message of a report; of one that is a message already, the same without the secrets that were read here.

        Outputs are read only when the job has succeeded.
        """
        if not isinstance(resource, Resource):
            if isinstance(resource, pb.Resource):
                return without_secrets(resource, registration.redactor)
            raise InternalError(f"connector {registration.name} answered a {type(resource).__name__}, not a Resource")
        phase = known_phase(resource.phase, registration, self._unknown_phases)
        message = to_message(resource, phase, registration)
        if phase is Phase.SUCCEEDED and resource.outputs is not None:
            await self._outputs.write(message, resource.outputs, declared, registration, conversion)
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
