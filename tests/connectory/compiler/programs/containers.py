"""Tasks that are commands: in images of their own, and scripts."""

__all__ = ["PROGRAMS"]

PROGRAMS: dict[str, str] = {
    "container_plain": """
greet = ContainerTask(name="greet", image="image:2", command=["echo", "hello"])

@workflow
def wf():
    greet()
""",
    "container_inputs_and_outputs": """
area = ContainerTask(
    name="area",
    image="image:2",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(a=float, b=float),
    outputs=kwtypes(area=float, note=str),
    command=["./run", "{{.inputs.a}}", "{{.inputs.b}}", "/var/outputs"],
)

@workflow
def wf(a: float) -> float:
    area_value, note = area(a=a, b=2.0)
    return area_value
""",
    "container_settings": """
work = ContainerTask(
    name="work",
    image="image:2",
    command=["sleep", "1"],
    arguments=["x"],
    metadata=TaskMetadata(retries=2, timeout=datetime.timedelta(minutes=1)),
    requests=Resources(cpu="1"),
    limits=Resources(cpu="2"),
    environment={"A": "b"},
    secret_requests=[Secret(group="g", key="k")],
)

@workflow
def wf():
    work().with_overrides(retries=3)
""",
    "container_in_order": """
first = ContainerTask(name="first", image="image:2", command=["true"])
second = ContainerTask(name="second", image="image:3", command=["true"], inputs=kwtypes(x=int))

@workflow
def wf(x: int):
    a = create_node(first)
    b = create_node(second, x=double(a=x))
    a >> b
""",
    "shell_plain": """
script = ShellTask(name="script", script="echo {inputs.x}", inputs=kwtypes(x=str))

@workflow
def wf(x: str):
    script(x=x)
""",
    "shell_outputs": """
script = ShellTask(
    name="script",
    script="cp {inputs.f} {outputs.o}",
    inputs=kwtypes(f=File),
    output_locs=[OutputLocation(var="o", var_type=File, location="{inputs.f}.mod")],
)

@workflow
def wf(f: File) -> File:
    return script(f=f)
""",
}
