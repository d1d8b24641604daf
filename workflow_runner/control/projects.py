"""Projects, domains and names."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectory.errors import AlreadyExistsError, InvalidTaskError, NotFoundError
from connectory.v1 import control_pb2, launch_plan_pb2
from workflow_runner.control.catalog.contract import NAME_FIELDS, Catalog, NameRecord, ProjectRecord
from workflow_runner.control.identifiers import require_name, require_place
from workflow_runner.control.queries import Field, chosen, page_of, query_of

__all__ = ["DOMAINS", "Projects"]

DOMAINS = ("development", "staging", "production")
_DEFAULT = control_pb2.Project(id="default", name="default")
_FIELDS = {name: Field(column="id") for name in ("identifier", "id", "created_at")} | {"name": Field(column="name")}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    id: str
    name: str
    project: control_pb2.Project


class Projects:
    """The projects of AdminService. Things can be registered in any project; one that was made has a name."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def register(self, request: control_pb2.ProjectRegisterRequest) -> control_pb2.ProjectRegisterResponse:
        """Make a project."""
        project = request.project
        if not project.id:
            raise InvalidTaskError("project.id is empty; it is part of all identifiers in the project")
        require_name("project.id", project.id)
        record = ProjectRecord(id=project.id, body=project.SerializeToString(deterministic=True))
        if project.id == _DEFAULT.id or not await self._catalog.add_project(record):
            raise AlreadyExistsError(f"there is a project {project.id!r}")
        return control_pb2.ProjectRegisterResponse()

    async def get(self, request: control_pb2.ProjectGetRequest) -> control_pb2.Project:
        """One project."""
        for project in await self._all():
            if project.id == request.id:
                return project
        raise NotFoundError(f"there is no project {request.id!r}")

    async def list(self, request: control_pb2.ProjectListRequest) -> control_pb2.Projects:
        """All projects."""
        query = query_of(request, _FIELDS, order="id", descending=False)
        rows = [_Row(id=each.id, name=each.name, project=each) for each in await self._all()]
        page, token = page_of(chosen(rows, query), query)
        return control_pb2.Projects(projects=[row.project for row in page], token=token)

    async def domains(self, _request: control_pb2.GetDomainRequest) -> control_pb2.GetDomainsResponse:
        """The domains that every project has."""
        return control_pb2.GetDomainsResponse(domains=_domains())

    async def names(
        self, kind: int, request: control_pb2.NamedEntityIdentifierListRequest
    ) -> control_pb2.NamedEntityIdentifierList:
        """Names of tasks, workflows or launch plans."""
        require_place(request.project, request.domain)
        query = query_of(request, NAME_FIELDS, order="name", descending=False)
        page, token = page_of(await self._catalog.names(kind, request.project, request.domain, query), query)
        return control_pb2.NamedEntityIdentifierList(entities=map(_name, page), token=token)

    async def entities(self, request: control_pb2.NamedEntityListRequest) -> control_pb2.NamedEntityList:
        """Names of one kind and what is known of them."""
        require_place(request.project, request.domain)
        query = query_of(request, NAME_FIELDS, order="name", descending=False)
        found = await self._catalog.names(int(request.resource_type), request.project, request.domain, query)
        page, token = page_of(found, query)
        entities = [control_pb2.NamedEntity(resource_type=request.resource_type, id=_name(each)) for each in page]
        return control_pb2.NamedEntityList(entities=entities, token=token)

    async def _all(self) -> Sequence[control_pb2.Project]:
        made = [control_pb2.Project.FromString(record.body) for record in await self._catalog.projects()]
        return [_complete(project) for project in (_DEFAULT, *made)]


def _complete(project: control_pb2.Project) -> control_pb2.Project:
    result = control_pb2.Project()
    result.CopyFrom(project)
    del result.domains[:]
    result.domains.extend(_domains())
    result.name = project.name or project.id
    return result


def _domains() -> list[control_pb2.Domain]:
    return [control_pb2.Domain(id=domain, name=domain) for domain in DOMAINS]


def _name(record: NameRecord) -> launch_plan_pb2.NamedEntityIdentifier:
    return launch_plan_pb2.NamedEntityIdentifier(project=record.project, domain=record.domain, name=record.name)
