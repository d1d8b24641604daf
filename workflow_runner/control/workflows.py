"""Workflows: check and register, give, list."""

from connectory.v1 import control_pb2, identifiers_pb2
from workflow_runner.control.catalog.contract import ENTITY_FIELDS, Catalog, Entity
from workflow_runner.control.identifiers import entity_key, identifier_of, require_place
from workflow_runner.control.linking import link
from workflow_runner.control.queries import page_of, query_of
from workflow_runner.control.references import check_references
from workflow_runner.control.registration import Registration
from workflow_runner.control.times import timestamp

__all__ = ["Workflows"]


class Workflows:
    """The workflows of AdminService."""

    def __init__(self, catalog: Catalog, registration: Registration) -> None:
        self._catalog = catalog
        self._registration = registration

    async def create(self, request: control_pb2.WorkflowCreateRequest) -> control_pb2.WorkflowCreateResponse:
        """Check and register a version; what its nodes call must be registered before."""
        key = entity_key(request.id, identifiers_pb2.WORKFLOW)
        check_references(request.spec, "register", "launch")
        spec = control_pb2.WorkflowSpec()
        spec.CopyFrom(request.spec)
        spec.template.id.CopyFrom(identifier_of(key))
        await self._registration.require_new(key, spec)
        now = self._registration.now()
        closure = control_pb2.WorkflowClosure(
            compiled_workflow=await link(self._catalog, spec), created_at=timestamp(now)
        )
        said = spec.description.short_description
        workflow = control_pb2.Workflow(id=identifier_of(key), closure=closure, short_description=said)
        await self._registration.add(key, spec, workflow, now)
        return control_pb2.WorkflowCreateResponse()

    async def get(self, request: control_pb2.ObjectGetRequest) -> control_pb2.Workflow:
        """One version."""
        return _workflow(await self._registration.get(entity_key(request.id, identifiers_pb2.WORKFLOW)))

    async def list(self, request: control_pb2.ResourceListRequest) -> control_pb2.WorkflowList:
        """Versions of a name, or of all names of a domain."""
        place = request.id
        require_place(place.project, place.domain, place.name)
        query = query_of(request, ENTITY_FIELDS, order="created_at")
        found = await self._catalog.entities(identifiers_pb2.WORKFLOW, place.project, place.domain, place.name, query)
        page, token = page_of(found, query)
        return control_pb2.WorkflowList(workflows=map(_workflow, page), token=token)


def _workflow(entity: Entity) -> control_pb2.Workflow:
    return control_pb2.Workflow.FromString(entity.body)
