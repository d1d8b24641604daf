"""Launch plans."""

__all__ = ["PROGRAMS"]

_WORKFLOW = """
@workflow
def wf(a: int, b: str = "b", when: typing.Optional[datetime.datetime] = None) -> int:
    say(text=b)
    return double(a=a)
"""
_PHASES = "phases=[WorkflowExecutionPhase.SUCCEEDED, WorkflowExecutionPhase.FAILED]"
_SETTINGS = {
    "defaults": 'default_inputs={"a": 5}',
    "more_defaults": 'default_inputs={"a": 5, "b": "c"}',
    "fixed": 'fixed_inputs={"a": 7}',
    "default_and_fixed": 'default_inputs={"b": "x"}, fixed_inputs={"a": 7}',
    "cron": 'schedule=CronSchedule(schedule="0 10 * * 1-5")',
    "cron_alias": 'schedule=CronSchedule(schedule="@daily", offset="PT1H")',
    "cron_kickoff": 'schedule=CronSchedule(schedule="*/10 * * * *", kickoff_time_input_arg="when")',
    "rate_minutes": "schedule=FixedRate(duration=datetime.timedelta(minutes=90))",
    "rate_hours": "schedule=FixedRate(datetime.timedelta(hours=3))",
    "rate_days": 'schedule=FixedRate(datetime.timedelta(days=2), kickoff_time_input_arg="when")',
    "email": f'notifications=[Email({_PHASES}, recipients_email=["a@example.org"])]',
    "slack": f'notifications=[Slack({_PHASES}, recipients_email=["a@example.org", "b@example.org"])]',
    "pager_duty": (
        'notifications=[PagerDuty(phases=[WorkflowExecutionPhase.TIMED_OUT], recipients_email=["a@example.org"])]'
    ),
    "several_notifications": (
        f'notifications=[Email({_PHASES}, recipients_email=["a@example.org"]), '
        'Slack(phases=[WorkflowExecutionPhase.ABORTED], recipients_email=["b@example.org"])]'
    ),
    "labels": 'labels=Labels({"team": "x"}), annotations=Annotations({"note": "y"})',
    "raw_output": 'raw_output_data_config=RawOutputDataConfig("s3://bucket/prefix")',
    "parallelism": "max_parallelism=7",
    "security": 'security_context=SecurityContext(run_as=Identity(iam_role="role", k8s_service_account="account"))',
    "auth_role": 'auth_role=AuthRole(assumable_iam_role="role", kubernetes_service_account="account")',
    "overwrite_cache": "overwrite_cache=True",
    "auto_activate": "auto_activate=True",
    "concurrency": "concurrency=ConcurrencyPolicy(max_concurrency=2, behavior=ConcurrencyLimitBehavior.SKIP)",
    "everything": (
        'default_inputs={"b": "x"}, fixed_inputs={"a": 7}, schedule=CronSchedule(schedule="@weekly"), '
        'labels=Labels({"a": "b"}), max_parallelism=3, overwrite_cache=True, auto_activate=True'
    ),
}

PROGRAMS: dict[str, str] = {
    f"plan_{name}": f"""{_WORKFLOW}
plans = [LaunchPlan.create("plan_{name}", wf, {text})]
"""
    for name, text in _SETTINGS.items()
} | {
    "plan_default": f"""{_WORKFLOW}
plans = [LaunchPlan.get_or_create(wf)]
""",
    "plan_default_options": """
@workflow(default_options=Options(labels=Labels({"team": "x"}), annotations=Annotations({"note": "y"})))
def wf(a: int) -> int:
    return double(a=a)

plans = [LaunchPlan.get_or_create(wf)]
""",
    "plan_types": """
@workflow
def wf(
    f: float = 1.5, flag: bool = True, values: typing.Optional[typing.List[int]] = None,
    t: datetime.timedelta = datetime.timedelta(minutes=1), u: typing.Union[int, str] = "x",
):
    say(text="x")

plans = [
    LaunchPlan.get_or_create(wf),
    LaunchPlan.create("plan_types", wf, default_inputs={"values": [1, 2], "u": 5}, fixed_inputs={"f": 2.5}),
]
""",
    "plan_as_node": """
@workflow
def inner(a: int, b: int = 2, c: int = 3) -> int:
    return double(a=a)

plan = LaunchPlan.get_or_create(inner, name="plan_as_node", default_inputs={"b": 5}, fixed_inputs={"c": 9})
default = LaunchPlan.get_or_create(inner)
plans = [plan, default]

@workflow
def wf(a: int) -> int:
    return default(a=plan(a=a), b=4, c=double(a=a))
""",
    "plan_of_interruptible": """
@workflow(interruptible=True)
def inner(a: int) -> typing.Tuple[int, str]:
    return double(a=a), shout(text="x")

plan = LaunchPlan.get_or_create(inner)

@workflow
def wf(a: int) -> str:
    number, text = plan(a=a).with_overrides(node_name="started")
    return text
""",
    "plan_in_conditional": """
@workflow
def inner(a: int) -> int:
    return double(a=a)

plan = LaunchPlan.get_or_create(inner)

@workflow
def wf(a: int) -> int:
    return conditional("choice").if_(a > 1).then(plan(a=a)).else_().then(double(a=a))
""",
}
