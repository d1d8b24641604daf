"""Who is let in to the control API, what they may do in which project, and what is written down about it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import yaml
from google.protobuf import message_factory

from connectory.client.channel import ClientTls
from connectory.client.control import ControlClient
from connectory.client.registering import register
from connectory.client.tokens import BearerToken
from connectory.errors import PermissionDeniedError, SettingsError, UnauthenticatedError
from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2, workflow_pb2
from tests.connector_server.certificates import Authority
from tests.workflow_runner.control.flows import diamond
from tests.workflow_runner.control.harness import Control, plan_of, request_of, serving
from tests.workflow_runner.workflows import bindings, closure, constant, integer, workflow
from workflow_runner.control.descriptions import described
from workflow_runner.control.guarding import ANYBODY
from workflow_runner.control.names import SERVICES
from workflow_runner.control.places import places_of
from workflow_runner.control.server import serve_control
from workflow_runner.control.settings import ControlSettings
from workflow_runner.launches import attempt_place
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

CALLERS = {
    "admin": ["*:*"],
    "author": ["p:register"],
    "starter": ["p/d:launch", "p/d:read"],
    "reader": ["p:read"],
    "elsewhere": ["other:*", "p/production:*"],
    "answerer": ["p:signal", "p:terminate"],
    "nobody": [],
}

DENIED = grpc.StatusCode.PERMISSION_DENIED


def token_of(name: str) -> str:
    return f"the-token-of-{name}-of-good-length"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.yaml"
    entries = [{"name": name, "scopes": scopes, "token": token_of(name)} for name, scopes in CALLERS.items()]
    path.write_text(yaml.safe_dump({"callers": entries}))
    return path


@asynccontextmanager
async def clients(control: Control) -> AsyncIterator[Mapping[str, ControlClient]]:
    target = control.server.addresses[0]
    made = {name: ControlClient(target, token=BearerToken.of(token_of(name))) for name in CALLERS}
    try:
        yield made
    finally:
        for client in made.values():
            await client.close()


def listing(project: str = "p", domain: str = "d") -> control_pb2.ResourceListRequest:
    return control_pb2.ResourceListRequest(id=launch_plan_pb2.NamedEntityIdentifier(project=project, domain=domain))


async def registered(client: ControlClient) -> identifiers_pb2.Identifier:
    made = diamond()
    plan = plan_of(made)
    await register(client, [made], [plan])
    return plan.id


async def every_call(control: Control, token: str | None) -> Mapping[str, grpc.StatusCode]:
    """The codes that every method answers to an empty request, but for those that tell how to bring a token."""
    metadata = None if token is None else [("authorization", f"Bearer {token}")]
    codes = {}
    async with grpc.aio.insecure_channel(control.server.addresses[0]) as channel:
        for served in (each for each in SERVICES if each.source != "AuthMetadataService"):
            for method in described().FindServiceByName(served.name).methods:
                make = channel.unary_stream if method.server_streaming else channel.unary_unary
                call = make(
                    f"/{served.name}/{method.name}",
                    request_serializer=lambda message: message.SerializeToString(),
                    response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
                )(message_factory.GetMessageClass(method.input_type)(), metadata=metadata)
                codes[f"{served.name}/{method.name}"] = await call.code()
    return codes


async def test_no_method_answers_without_a_known_token(tokens: Path) -> None:
    async with serving(tokens=tokens) as control:
        for token in (None, "a-token-that-nobody-has-given-out"):
            assert set((await every_call(control, token)).values()) == {grpc.StatusCode.UNAUTHENTICATED}


async def test_no_method_that_tells_or_does_anything_works_without_a_scope(tokens: Path) -> None:
    async with serving(tokens=tokens) as control:
        codes = await every_call(control, token_of("nobody"))
        allowed = {name.rpartition("/")[2] for name, code in codes.items() if code is not DENIED}
        assert allowed == ANYBODY
        assert DENIED not in (await every_call(control, token_of("admin"))).values()


async def test_a_stranger_is_not_told_whether_a_message_is_well_formed(tokens: Path) -> None:
    async with serving(tokens=tokens) as control, grpc.aio.insecure_channel(control.server.addresses[0]) as channel:
        for name in ("AdminService/GetExecution", "WatchService/WatchExecution"):
            make = channel.unary_stream if "Watch" in name else channel.unary_unary
            call = make(f"/connectory.v1.{name}")
            assert await call(b"\xff\xff").code() is grpc.StatusCode.UNAUTHENTICATED
            known = call(b"\xff\xff", metadata=[("authorization", f"Bearer {token_of('admin')}")])
            assert await known.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_scopes_say_who_may_do_what_in_which_project(tokens: Path) -> None:
    async with serving(tokens=tokens) as control, clients(control) as by:
        with pytest.raises(PermissionDeniedError, match=r"reader may not register in p/d; .* it needs p:register"):
            await registered(by["reader"])
        plan = await registered(by["author"])
        for refused in ("author", "reader", "elsewhere", "answerer", "nobody"):
            with pytest.raises(PermissionDeniedError, match=f"{refused} may not launch in p/d"):
                await by[refused].create_execution(request_of(plan))
        execution = (await by["starter"].create_execution(request_of(plan, "one", a=integer(1)))).id
        async for answer in by["reader"].watch_execution(control_pb2.WatchExecutionRequest(id=execution)):
            assert answer
        assert (await by["reader"].list_executions(listing())).executions
        asked = control_pb2.WorkflowExecutionGetDataRequest(id=execution)
        assert (await by["starter"].get_execution_data(asked)).full_outputs.literals
        for refused in ("author", "elsewhere", "answerer", "nobody"):
            with pytest.raises(PermissionDeniedError, match=f"{refused} may not read in p/d"):
                await by[refused].get_execution_data(asked)
        terminating = control_pb2.ExecutionTerminateRequest(id=execution)
        with pytest.raises(PermissionDeniedError, match="starter may not terminate in p/d"):
            await by["starter"].terminate_execution(terminating)
        await by["answerer"].terminate_execution(terminating)
        assert (await by["elsewhere"].list_executions(listing("p", "production"))).executions == []


async def test_what_another_project_has_done_cannot_be_taken_over_without_a_right_there(tokens: Path) -> None:
    async with serving(tokens=tokens) as control, clients(control) as by:
        plan = await registered(by["author"])
        execution = (await by["starter"].create_execution(request_of(plan, "one", a=integer(1)))).id
        made = diamond()
        made.primary.template.id.project = "other"
        theirs = plan_of(made)
        await register(by["admin"], [made], [theirs])
        request = request_of(theirs.id, a=integer(1))
        request.spec.metadata.mode = control_pb2.ExecutionMetadata.RECOVERED
        request.spec.metadata.reference_execution.CopyFrom(execution)
        with pytest.raises(PermissionDeniedError, match="elsewhere may not launch in p/d"):
            await by["elsewhere"].create_execution(request)


async def test_what_another_project_registered_cannot_be_launched_without_a_right_there(tokens: Path) -> None:
    async with serving(tokens=tokens) as control, clients(control) as by:
        plan = await registered(by["author"])
        request = request_of(plan)
        request.project = "other"
        with pytest.raises(PermissionDeniedError, match="elsewhere may not launch in p/d"):
            await by["elsewhere"].create_execution(request)
        mine = launch_plan_pb2.LaunchPlan(id=plan, spec=launch_plan_pb2.LaunchPlanSpec(workflow_id=plan))
        mine.id.project = "other"
        create = launch_plan_pb2.LaunchPlanCreateRequest(id=mine.id, spec=mine.spec)
        with pytest.raises(PermissionDeniedError, match="elsewhere may not register in p/d"):
            await by["elsewhere"].create_launch_plan(create)


def borrowing() -> workflow_pb2.CompiledWorkflowClosure:
    """A workflow of project "other" whose nodes run a task of project "p"."""
    made = diamond()
    made.primary.template.id.project = "other"
    assert {each.template.id.project for each in made.tasks} == {"p"}
    return made


async def test_a_workflow_may_refer_only_to_what_its_author_has_a_right_to(tokens: Path) -> None:
    made = borrowing()
    create = control_pb2.WorkflowCreateRequest(
        id=made.primary.template.id, spec=control_pb2.WorkflowSpec(template=made.primary.template)
    )
    create.id.resource_type = identifiers_pb2.WORKFLOW
    async with serving(tokens=tokens) as control, clients(control) as by:
        await registered(by["author"])
        with pytest.raises(
            PermissionDeniedError,
            match=r"elsewhere may not use task 'add' of p/d; .* it needs p:register or launch",
        ):
            await by["elsewhere"].create_workflow(create)
        await by["admin"].create_workflow(create)


async def test_a_workflow_that_refers_to_another_project_is_launched_with_a_right_there_only(tokens: Path) -> None:
    async with serving(tokens=tokens) as control, clients(control) as by:
        made = borrowing()
        plan = plan_of(made)
        await register(by["admin"], [made], [plan])
        with pytest.raises(
            PermissionDeniedError, match=r"elsewhere may not use task 'add' of p/d; .* it needs p:launch"
        ):
            await by["elsewhere"].create_execution(request_of(plan.id, a=integer(1)))
        assert (await by["admin"].create_execution(request_of(plan.id, a=integer(1)))).id.name


async def test_what_launch_plans_within_refer_to_needs_a_right_there_too(tokens: Path) -> None:
    inner = borrowing()
    starting = workflow_pb2.Node(id="n0", inputs=bindings({"a": constant(integer(1))}))
    starting.workflow_node.launchplan_ref.CopyFrom(plan_of(inner).id)
    outer = closure(workflow("outer", [starting]), [])
    outer.primary.template.id.project, outer.primary.template.id.version = "other", "1"
    async with serving(tokens=tokens) as control, clients(control) as by:
        await register(by["admin"], [inner], [plan_of(inner)])
        await register(by["admin"], [outer], [])
        plan = plan_of(outer)
        create = launch_plan_pb2.LaunchPlanCreateRequest(id=plan.id, spec=plan.spec)
        with pytest.raises(
            PermissionDeniedError, match=r"elsewhere may not use task 'add' of p/d; .* it needs p:register or launch"
        ):
            await by["elsewhere"].create_launch_plan(create)
        await by["admin"].create_launch_plan(create)
        for started in (plan.id, outer.primary.template.id):
            with pytest.raises(
                PermissionDeniedError, match=r"elsewhere may not use task 'add' of p/d; .* it needs p:launch"
            ):
                await by["elsewhere"].create_execution(request_of(started))
        assert (await by["admin"].create_execution(request_of(plan.id))).id.name


async def test_outputs_are_written_only_where_the_operator_allows(tokens: Path, tmp_path: Path) -> None:
    own, shared = f"{tmp_path}/outputs", f"{tmp_path}/shared"
    options = {"output_prefix": own, "allowed_output_prefixes": (f"{shared}/",)}
    async with serving(tokens=tokens, **options) as control, clients(control) as by:
        plan = await registered(by["author"])

        async def launched(prefix: str) -> str:
            request = request_of(plan, a=integer(1))
            request.spec.raw_output_data_config.output_location_prefix = prefix
            return (await by["starter"].create_execution(request)).id.name

        for allowed in ("", own, shared, f"{shared}/mine"):
            assert await launched(allowed)
        for refused in (f"{shared}-too", "s3://theirs", str(tmp_path), f"{shared}/../elsewhere"):
            with pytest.raises(PermissionDeniedError, match="is not where executions may write"):
                await launched(refused)


async def test_launch_plans_within_write_only_where_the_operator_allows(tokens: Path, tmp_path: Path) -> None:
    inner = diamond()
    starting = workflow_pb2.Node(id="n0", inputs=bindings({"a": constant(integer(1))}))
    starting.workflow_node.launchplan_ref.CopyFrom(plan_of(inner).id)
    outer = closure(workflow("outer", [starting]), [])
    within = plan_of(inner)
    within.spec.raw_output_data_config.output_location_prefix = "s3://theirs"
    options = {"output_prefix": f"{tmp_path}/outputs"}
    async with serving(tokens=tokens, **options) as control, clients(control) as by:
        await register(by["author"], [inner], [within])
        await register(by["author"], [outer], [plan_of(outer)])
        request = request_of(plan_of(outer).id)
        with pytest.raises(PermissionDeniedError, match=r"launch plan 'diamond', which a node starts: raw_output_.*"):
            await by["starter"].create_execution(request)
        request.spec.raw_output_data_config.output_location_prefix = f"{tmp_path}/outputs/mine"
        execution = (await by["starter"].create_execution(request)).id
        async for _ in by["starter"].watch_execution(control_pb2.WatchExecutionRequest(id=execution)):
            pass
        state = await control.runner.state(execution.name)
        assert attempt_place(state, "n0.top", 0) == f"{tmp_path}/outputs/mine/{execution.name}/n0.top/0"


def test_where_outputs_may_be_written_unless_it_is_said(tokens: Path, tmp_path: Path) -> None:
    assert ControlSettings().output_prefixes("own") is None
    assert ControlSettings(uds=(tmp_path / "socket",)).output_prefixes("own") is None
    assert ControlSettings(tokens=tokens).output_prefixes("own") == ("own",)
    assert ControlSettings(addresses=("0.0.0.0:1",), insecure_public=True).output_prefixes("own") == ("own",)
    assert ControlSettings(allowed_output_prefixes=("s3://b",)).output_prefixes("own") == ("own", "s3://b")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("flyte://v1/p/d/e/n0/i", ("p", "d")),
        ("flyte://v1//p/d/e/n0/i", ("p", "d")),
        ("flyte://v1/p\t/d/e/n0/i", ("p", "d")),
        ("flyte://v1", ("", "")),
        ("flyte://[", ("", "")),
    ],
)
def test_addresses_of_data_are_of_a_project(url: str, place: tuple[str, str]) -> None:
    assert places_of(control_pb2.GetDataRequest(flyte_url=url)) == (place,)


async def test_the_audit_log_says_who_did_what(tokens: Path, tmp_path: Path) -> None:
    place = tmp_path / "audit.jsonl"
    async with serving(tokens=tokens, audit_log=str(place)) as control, clients(control) as by:
        plan = await registered(by["author"])
        execution = (await by["starter"].create_execution(request_of(plan, "one", a=integer(1)))).id
        async for _ in by["starter"].watch_execution(control_pb2.WatchExecutionRequest(id=execution)):
            pass
        with pytest.raises(PermissionDeniedError):
            await by["nobody"].terminate_execution(control_pb2.ExecutionTerminateRequest(id=execution))
        with pytest.raises(PermissionDeniedError):
            await by["nobody"].list_executions(listing())
        with pytest.raises(UnauthenticatedError):
            await control.client.get_execution(control_pb2.WorkflowExecutionGetRequest(id=execution))
        await by["admin"].terminate_execution(control_pb2.ExecutionTerminateRequest(id=execution))
    lines = [json.loads(line) for line in place.read_text().splitlines()]
    said = [(line["caller"], line["operation"], line["code"]) for line in lines]
    assert said[-5:] == [
        ("starter", "CreateExecution", "OK"),
        ("nobody", "TerminateExecution", "PERMISSION_DENIED"),
        ("nobody", "ListExecutions", "PERMISSION_DENIED"),
        ("-", "GetExecution", "UNAUTHENTICATED"),
        ("admin", "TerminateExecution", "OK"),
    ]
    assert {line[1] for line in said[:-5]} == {"CreateTask", "CreateWorkflow", "CreateLaunchPlan"}
    assert (lines[-1]["project"], lines[-1]["domain"], lines[-1]["name"]) == ("p", "d", "one")
    assert not any(token_of(name) in place.read_text() for name in CALLERS)


async def test_a_public_address_is_allowed_with_tokens_over_tls(tokens: Path, tmp_path: Path) -> None:
    key, cert = (authority := Authority(tmp_path)).issue("server")
    with pytest.raises(SettingsError, match="without encryption"):
        ControlSettings(addresses=("0.0.0.0:0",), tokens=tokens)
    settings = ControlSettings(addresses=("0.0.0.0:0",), tokens=tokens, tls_cert=cert, tls_key=key)
    async with Runner(open_store("memory://"), []) as runner, serve_control(settings, runner) as server:
        target = server.addresses[0].replace("0.0.0.0", "127.0.0.1")
        tls, token = ClientTls(root_certificate=authority.cert), BearerToken.of(token_of("reader"))
        async with ControlClient(target, tls=tls, token=token) as client:
            assert not (await client.list_executions(listing())).executions
        async with ControlClient(target, tls=tls) as client:
            with pytest.raises(UnauthenticatedError, match="CONNECTORY_TOKEN_FILE"):
                await client.list_executions(listing())


def test_half_the_settings_of_signed_tokens_are_refused() -> None:
    with pytest.raises(SettingsError, match="needs jwt_issuer and jwt_audience"):
        ControlSettings(jwt_jwks="keys.json")
