"""Launch plans: check and register, give, list, activate."""

from datetime import UTC, datetime

from connectory.errors import InvalidTaskError, NotFoundError, TypeConversionError
from connectory.types import default_types
from connectory.types.structure_check import check_structure
from connectory.v1 import control_pb2, identifiers_pb2, interface_pb2, launch_plan_pb2, literals_pb2, types_pb2
from workflow_runner.control.catalog.contract import ENTITY_FIELDS, Catalog
from workflow_runner.control.contents import contents_of, plan_of
from workflow_runner.control.identifiers import described, entity_key, identifier_of, require_place
from workflow_runner.control.queries import page_of, query_of
from workflow_runner.control.registration import Registration
from workflow_runner.control.times import timestamp
from workflow_runner.schedules.timetable import timetable_of

__all__ = ["LaunchPlans"]


class LaunchPlans:
    """The launch plans of AdminService."""

    def __init__(self, catalog: Catalog, registration: Registration) -> None:
        self._catalog = catalog
        self._registration = registration

    async def create(
        self, request: launch_plan_pb2.LaunchPlanCreateRequest
    ) -> launch_plan_pb2.LaunchPlanCreateResponse:
        """Check and register a version; its workflow must be registered before."""
        key = entity_key(request.id, identifiers_pb2.LAUNCH_PLAN)
        await self._registration.require_new(key, request.spec)
        workflow = await self._registration.get(entity_key(request.spec.workflow_id, identifiers_pb2.WORKFLOW))
        await contents_of(self._catalog, workflow.key, "register", "launch")
        template = control_pb2.Workflow.FromString(workflow.body).closure.compiled_workflow.primary.template
        now = self._registration.now()
        _require_schedule(request.spec, template.interface.inputs, now)
        plan = launch_plan_pb2.LaunchPlan(
            id=identifier_of(key),
            spec=request.spec,
            closure=launch_plan_pb2.LaunchPlanClosure(
                expected_inputs=_expected(key.name, request.spec, template.interface.inputs),
                expected_outputs=template.interface.outputs,
                created_at=timestamp(now),
            ),
        )
        await self._registration.add(key, request.spec, plan, now)
        return launch_plan_pb2.LaunchPlanCreateResponse()

    async def get(self, request: control_pb2.ObjectGetRequest) -> launch_plan_pb2.LaunchPlan:
        """One version."""
        return plan_of(await self._registration.get(entity_key(request.id, identifiers_pb2.LAUNCH_PLAN)))

    async def list(self, request: control_pb2.ResourceListRequest) -> launch_plan_pb2.LaunchPlanList:
        """Versions of a name, or of all names of a domain."""
        place = request.id
        require_place(place.project, place.domain, place.name)
        query = query_of(request, ENTITY_FIELDS, order="created_at")
        kind = identifiers_pb2.LAUNCH_PLAN
        page, token = page_of(await self._catalog.entities(kind, place.project, place.domain, place.name, query), query)
        return launch_plan_pb2.LaunchPlanList(launch_plans=map(plan_of, page), token=token)

    async def update(
        self, request: launch_plan_pb2.LaunchPlanUpdateRequest
    ) -> launch_plan_pb2.LaunchPlanUpdateResponse:
        """Make a version the active one, or no longer."""
        key = entity_key(request.id, identifiers_pb2.LAUNCH_PLAN)
        active = request.state == launch_plan_pb2.ACTIVE
        if not await self._catalog.activate(key, active, self._registration.now()):
            raise NotFoundError(f"there is no {described(key)}")
        return launch_plan_pb2.LaunchPlanUpdateResponse()

    async def active(self, request: launch_plan_pb2.ActiveLaunchPlanRequest) -> launch_plan_pb2.LaunchPlan:
        """The version that counts."""
        place = request.id
        require_place(place.project, place.domain, place.name)
        found = await self._catalog.active(place.project, place.domain, place.name)
        if found is None:
            raise NotFoundError(
                f"no version of launch plan {place.name!r} is active in {place.project}, {place.domain}"
            )
        return plan_of(found)

    async def list_active(self, request: launch_plan_pb2.ActiveLaunchPlanListRequest) -> launch_plan_pb2.LaunchPlanList:
        """The versions that count, of all launch plans of a domain."""
        require_place(request.project, request.domain)
        asked = control_pb2.ResourceListRequest(limit=request.limit, token=request.token, sort_by=request.sort_by)
        query = query_of(asked, ENTITY_FIELDS, order="created_at")
        page, token = page_of(await self._catalog.active_plans(request.project, request.domain, query), query)
        return launch_plan_pb2.LaunchPlanList(launch_plans=map(plan_of, page), token=token)


def _require_schedule(spec: launch_plan_pb2.LaunchPlanSpec, inputs: interface_pb2.VariableMap, now: float) -> None:
    """Refuse what is no schedule, or gives its time to an input that cannot take it."""
    schedule = spec.entity_metadata.schedule
    timetable_of(schedule, datetime.fromtimestamp(now, UTC))
    name = schedule.kickoff_time_input_arg
    if not name:
        return
    where = "spec.entity_metadata.schedule.kickoff_time_input_arg"
    if name not in inputs.variables or name in spec.fixed_inputs.literals:
        known = ", ".join(map(repr, sorted(inputs.variables.keys() - spec.fixed_inputs.literals.keys()))) or "none"
        raise InvalidTaskError(f"{where} names {name!r}, which is no input that is left to give; these are: {known}")
    moment = literals_pb2.Literal()
    moment.scalar.primitive.datetime.FromDatetime(datetime.fromtimestamp(now, UTC))
    _require(moment, inputs.variables[name].type, f"{where} names {name!r}, which takes no time")


def _expected(
    name: str, spec: launch_plan_pb2.LaunchPlanSpec, inputs: interface_pb2.VariableMap
) -> interface_pb2.ParameterMap:
    """The inputs that are left to give: the workflow's, without what the plan `name` fixes, with its defaults."""
    plan = f"launch plan {name!r}"
    for field, names in (
        ("fixed_inputs", spec.fixed_inputs.literals),
        ("default_inputs", spec.default_inputs.parameters),
    ):
        for var in names:
            if var not in inputs.variables:
                raise InvalidTaskError(
                    f"{plan}: spec.{field} names {var!r}, which the workflow {spec.workflow_id.name!r} does not take"
                )
    result = interface_pb2.ParameterMap()
    for var, variable in inputs.variables.items():
        if var in spec.fixed_inputs.literals:
            _require(spec.fixed_inputs.literals[var], variable.type, f"{plan}: spec.fixed_inputs[{var!r}]")
            continue
        parameter = result.parameters[var]
        if var in spec.default_inputs.parameters:
            parameter.CopyFrom(spec.default_inputs.parameters[var])
        parameter.var.CopyFrom(variable)
        if parameter.HasField("default"):
            _require(parameter.default, variable.type, f"{plan}: spec.default_inputs[{var!r}]")
        elif parameter.WhichOneof("behavior") in (None, "required"):
            parameter.required = True
    return result


def _require(literal: literals_pb2.Literal, expected: types_pb2.LiteralType, where: str) -> None:
    try:
        default_types().check(literal, expected)
        check_structure(literal, expected)  # every execution would begin with it
    except TypeConversionError as error:
        raise InvalidTaskError(f"{where}: {error}") from error
