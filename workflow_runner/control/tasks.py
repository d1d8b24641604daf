"""Tasks: register, give, list."""

from connectory.errors import InvalidTaskError
from connectory.v1 import control_pb2, identifiers_pb2, workflow_pb2
from workflow_runner.control.catalog.contract import ENTITY_FIELDS, Catalog, Entity
from workflow_runner.control.identifiers import entity_key, identifier_of, require_place
from workflow_runner.control.queries import page_of, query_of
from workflow_runner.control.registration import Registration
from workflow_runner.control.times import timestamp

__all__ = ["Tasks"]


class Tasks:
    """The tasks of AdminService."""

    def __init__(self, catalog: Catalog, registration: Registration) -> None:
        self._catalog = catalog
        self._registration = registration

    async def create(self, request: control_pb2.TaskCreateRequest) -> control_pb2.TaskCreateResponse:
        """Register a version."""
        key = entity_key(request.id, identifiers_pb2.TASK)
        if not request.spec.template.type:
            raise InvalidTaskError("spec.template.type is empty; it says who runs the task")
        spec = control_pb2.TaskSpec()
        spec.CopyFrom(request.spec)
        spec.template.id.CopyFrom(identifier_of(key))
        await self._registration.require_new(key, spec)
        now = self._registration.now()
        closure = control_pb2.TaskClosure(
            compiled_task=workflow_pb2.CompiledTask(template=spec.template), created_at=timestamp(now)
        )
        said = spec.description.short_description
        task = control_pb2.Task(id=identifier_of(key), closure=closure, short_description=said)
        await self._registration.add(key, spec, task, now)
        return control_pb2.TaskCreateResponse()

    async def get(self, request: control_pb2.ObjectGetRequest) -> control_pb2.Task:
        """One version."""
        return _task(await self._registration.get(entity_key(request.id, identifiers_pb2.TASK)))

    async def list(self, request: control_pb2.ResourceListRequest) -> control_pb2.TaskList:
        """Versions of a name, or of all names of a domain."""
        place = request.id
        require_place(place.project, place.domain, place.name)
        query = query_of(request, ENTITY_FIELDS, order="created_at")
        found = await self._catalog.entities(identifiers_pb2.TASK, place.project, place.domain, place.name, query)
        page, token = page_of(found, query)
        return control_pb2.TaskList(tasks=map(_task, page), token=token)


def _task(entity: Entity) -> control_pb2.Task:
    return control_pb2.Task.FromString(entity.body)
