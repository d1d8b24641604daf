"""Launch plans: made once, called like the workflow, compiled with all that they say."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectory.authoring import (
    Annotations,
    AuthRole,
    ConcurrencyPolicy,
    CronSchedule,
    Email,
    FixedRate,
    Labels,
    LaunchPlan,
    Notification,
    OnSchedule,
    Options,
    RawOutputDataConfig,
    Schedule,
    Secret,
    SecurityContext,
    WorkflowExecutionPhase,
    task,
    workflow,
)
from connectory.compiler import compile_launch_plan, compile_workflow, launch_plans_of
from connectory.errors import AuthoringError
from connectory.v1 import launch_plan_pb2


@task
def join(a: int, b: str, when: datetime | None) -> str:
    return f"{a}{b}"


def fresh() -> Any:
    """A workflow without launch plans."""

    @workflow
    def flow(a: int, b: str = "b", when: datetime | None = None) -> str:
        return join(a=a, b=b, when=when)

    return flow


def test_called_it_runs_the_workflow_with_its_inputs() -> None:
    flow = fresh()
    plan = LaunchPlan.create("p", flow, default_inputs={"a": 1}, fixed_inputs={"b": "x"})
    assert plan() == "1x"
    assert plan(a=2) == "2x"
    with pytest.raises(AuthoringError, match="has no input 'b'"):
        plan(b="y")
    with pytest.raises(AuthoringError, match="is given 1 arguments by position, but takes 0"):
        plan(5)


def test_the_default_one_is_one() -> None:
    flow = fresh()
    plan = LaunchPlan.get_or_create(flow)
    assert plan is LaunchPlan.get_default_launch_plan(flow)
    assert plan.name == flow.name
    assert plan(a=3) == "3b"


def test_the_default_one_says_what_the_workflow_does() -> None:
    options = Options(
        labels=Labels({"team": "a"}),
        max_parallelism=3,
        notifications=[Email([WorkflowExecutionPhase.FAILED], ["ops@example.org"])],
        raw_output_data_config=RawOutputDataConfig("s3://bucket"),
    )

    @workflow(default_options=options)
    def labelled(a: int) -> int:
        return a

    spec = compile_launch_plan(labelled).spec
    assert dict(spec.labels.values) == {"team": "a"}
    assert spec.max_parallelism == 3
    assert spec.entity_metadata.notifications[0].email.recipients_email == ["ops@example.org"]
    assert spec.raw_output_data_config.output_location_prefix == "s3://bucket"
    with pytest.raises(AuthoringError, match=r"default_options of workflow '.*' is 3; give Options\(...\)"):
        workflow(default_options=3)(labelled.function)  # type: ignore[arg-type]


def test_a_name_is_taken_once() -> None:
    flow = fresh()
    plan = LaunchPlan.get_or_create(flow, name="p", default_inputs={"a": 1}, max_parallelism=3)
    assert LaunchPlan.get_or_create(flow, name="p", default_inputs={"a": 1}, max_parallelism=3) is plan
    with pytest.raises(AuthoringError, match="with other settings already"):
        LaunchPlan.get_or_create(flow, name="p", default_inputs={"a": 2})
    with pytest.raises(AuthoringError, match="a launch plan 'p' already"):
        LaunchPlan.create("p", flow)
    assert flow.launch_plans == {"p": plan}


def test_two_plans_of_one_name_cannot_be_compiled_together() -> None:
    first, second = LaunchPlan.create("same", fresh()), LaunchPlan.create("same", fresh())

    @workflow
    def outer(a: int) -> str:
        first(a=a)
        return second(a=a)

    with pytest.raises(AuthoringError, match="two launch plans have the name 'same'"):
        compile_workflow(outer)


def test_all_plans_are_listed() -> None:
    flow = fresh()
    deep = LaunchPlan.create("deep", flow)

    @workflow
    def middle(a: int) -> str:
        return deep(a=a)

    shallow = LaunchPlan.create("shallow", middle)

    @workflow
    def outer(a: int) -> str:
        return shallow(a=a)

    assert launch_plans_of(outer) == [shallow, deep]
    assert outer(a=4) == "4b"


def test_a_trigger_is_a_schedule_and_activation_is_a_state() -> None:
    rate = FixedRate(timedelta(hours=1), kickoff_time_input_arg="when")
    plan = compile_launch_plan(LaunchPlan.create("p", fresh(), trigger=OnSchedule(rate), auto_activate=True))
    assert plan.spec.entity_metadata.schedule == rate.to_proto()
    assert plan.closure.state == launch_plan_pb2.ACTIVE


def test_secrets_and_the_general_schedule() -> None:
    context = SecurityContext(secrets=[Secret(key="k")])
    schedule = Schedule(cron_expression="0 10 * * ? *")
    spec = compile_launch_plan(LaunchPlan.create("p", fresh(), security_context=context, schedule=schedule)).spec
    assert spec.security_context.secrets[0].key == "k"
    assert spec.entity_metadata.schedule.cron_expression == "0 10 * * ? *"


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "*/5 0-6,8 1,15 jan-mar mon-fri",
        "0 10 L * ?",
        "@hourly",
        "days",
        "0 0 * * 7",
        "5/15 * * * *",
        "CRON_TZ=Asia/Tokyo @daily",
    ],
)
def test_schedules(text: str) -> None:
    assert CronSchedule(schedule=text).to_proto().cron_schedule.schedule == text


DONE = [WorkflowExecutionPhase.SUCCEEDED]


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda flow: LaunchPlan.create("p", 5), "it starts workflows"),
        (lambda flow: LaunchPlan.get_or_create(5), "it starts workflows"),
        (lambda flow: LaunchPlan.create("", flow), "is called by a name"),
        (lambda flow: LaunchPlan.create("p", flow, default_inputs={"x": 1}), "has the default input 'x'"),
        (lambda flow: LaunchPlan.create("p", flow, fixed_inputs={"x": 1}), "has the fixed input 'x'"),
        (lambda flow: LaunchPlan.create("p", flow, default_inputs={"a": "x"}), "takes int, but its default is 'x'"),
        (lambda flow: LaunchPlan.create("p", flow, fixed_inputs={"a": "x"}), "takes int, but is given 'x'"),
        (lambda flow: LaunchPlan.create("p", flow, schedule="daily"), "it is a Schedule"),
        (lambda flow: LaunchPlan.create("p", flow, notifications=["x"]), "it is a Notification"),
        (lambda flow: LaunchPlan.create("p", flow, labels={"a": "b"}), "it is a Labels"),
        (lambda flow: LaunchPlan.create("p", flow, max_parallelism=-1), "max_parallelism is -1"),
        (lambda flow: LaunchPlan.create("p", flow, trigger=5), "it is a OnSchedule"),
        (
            lambda flow: LaunchPlan.create("p", flow, security_context=SecurityContext(), auth_role=AuthRole("x")),
            "give one of them",
        ),
        (
            lambda flow: LaunchPlan.create("p", flow, schedule=CronSchedule(schedule="@daily"), trigger=OnSchedule(5)),
            "give one of them",
        ),
        (
            lambda flow: LaunchPlan.create(
                "p", flow, schedule=CronSchedule(schedule="@daily", kickoff_time_input_arg="x")
            ),
            "input 'x', which does not exist",
        ),
        (lambda flow: LaunchPlan.get_or_create(flow, max_parallelism=3), "only a launch plan with a name"),
        (lambda flow: CronSchedule(schedule="* * * *"), "has 4 fields; give five"),
        (lambda flow: CronSchedule(schedule="61 * * * *"), "'61' as minute; it goes from 0 to 59"),
        (lambda flow: CronSchedule(schedule="* 5-1 * * *"), "'5-1' as hour"),
        (lambda flow: CronSchedule(schedule="* * * * */0"), "'*/0' as day of week"),
        (lambda flow: CronSchedule(schedule="* * * x *"), "'x' as month"),
        (lambda flow: CronSchedule(), "give a text such as"),
        (lambda flow: CronSchedule(schedule="CRON_TZ=Europe/Atlantis @daily"), "'Europe/Atlantis', which is no time"),
        (lambda flow: CronSchedule(schedule="@daily", offset="1h"), "no duration in the notation of ISO 8601"),
        (lambda flow: FixedRate(timedelta(seconds=90)), "give a timedelta of whole minutes"),
        (lambda flow: FixedRate("x"), "give a timedelta of whole minutes"),
        (lambda flow: Schedule(kickoff_time_input_arg=5), "give the name of an input"),
        (lambda flow: Email([], ["a@example.org"]), "phases of Email is []"),
        (lambda flow: Email([WorkflowExecutionPhase.RUNNING], ["a@example.org"]), "only ends are told"),
        (lambda flow: Email(DONE, "a@example.org"), "recipients_email of Email"),
        (lambda flow: Email(DONE, [5]), "is given the recipient 5"),
        (lambda flow: Notification(DONE, ["a@example.org"]).to_proto(), "say how to notify"),
        (lambda flow: Labels({"a": 1}), "give a dict of texts"),
        (lambda flow: Annotations(["a"]), "give a dict of texts"),
        (lambda flow: RawOutputDataConfig(5), "give a URL"),
        (lambda flow: ConcurrencyPolicy(0), "1 or more"),
        (lambda flow: SecurityContext(run_as="me"), "give an Identity"),
        (lambda flow: SecurityContext(secrets=["x"]), "give a Secret"),
        (lambda flow: compile_launch_plan(5), "is no launch plan and no workflow"),
    ],
)
def test_mistakes(use: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        use(fresh())
    assert said in caught.value.message
