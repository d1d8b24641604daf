"""Tasks that are no decorated functions: raw containers, scripts, instances, prebuilt containers."""

__all__ = ["PROGRAMS"]

_CONTAINERS = {
    "plain": 'command=["echo", "hello"]',
    "inputs": (
        'inputs=kwtypes(a=int, b=str), input_data_dir="/var/inputs", command=["sh", "-c"], '
        'arguments=["echo {{.inputs.a}} {{.inputs.b}}"]'
    ),
    "outputs": (
        "inputs=kwtypes(a=float), outputs=kwtypes(area=float, note=str), "
        'input_data_dir="/in", output_data_dir="/out", command=["python", "area.py", "{{.inputs.a}}", "/out"]'
    ),
    "files": (
        "inputs=kwtypes(f=File, d=Directory), outputs=kwtypes(g=File), "
        'input_data_dir="/in", output_data_dir="/out", command=["cp", "/in/f", "/out/g"]'
    ),
    "yaml": 'command=["true"], metadata_format=ContainerTask.MetadataFormat.YAML',
    "proto": 'command=["true"], metadata_format=ContainerTask.MetadataFormat.PROTO',
    "settings": (
        'command=["true"], requests=Resources(cpu="1", mem="1Gi"), limits=Resources(cpu="2"), '
        'environment={"A": "1"}, secret_requests=[Secret(group="g", key="k")], '
        'metadata=TaskMetadata(retries=2, timeout=60, cache=True, cache_version="1"), pod_template_name="big"'
    ),
}

PROGRAMS: dict[str, str] = {
    f"container_{name}": f"""
raw = ContainerTask(name="raw", image="registry.example/raw:1", {text})

@workflow
def wf({", ".join(f"{arg}" for arg in args)}):
    raw({", ".join(f"{arg.split(':')[0]}={arg.split(':')[0]}" for arg in args)})
"""
    for name, text in _CONTAINERS.items()
    for args in [
        {
            "inputs": ["a: int", "b: str"],
            "outputs": ["a: float"],
            "files": ["f: File", "d: Directory"],
        }.get(name, [])
    ]
}

PROGRAMS["shell"] = """
pack = ShellTask(
    name="pack",
    script="gzip -c {inputs.f} > {outputs.packed}",
    inputs=kwtypes(f=File, level=int),
    output_locs=[OutputLocation(var="packed", var_type=File, location="/tmp/packed.gz")],
    metadata=TaskMetadata(retries=1),
)

@workflow
def wf(f: File) -> File:
    return pack(f=f, level=3)
"""

PROGRAMS["prebuilt"] = """
class Executor(ShimTaskExecutor):
    def execute_from_model(self, tt, **kwargs):
        return kwargs["x"]

class Prebuilt(PythonCustomizedContainerTask[str]):
    def __init__(self, name, word):
        super().__init__(
            name=name, task_config=word, container_image="registry.example/prebuilt:1", executor_type=Executor,
            task_type="prebuilt", requests=Resources(cpu="1"),
            interface=Interface(inputs={"x": str}, outputs={"y": str}),
        )

    def get_custom(self, settings):
        return {"word": self.task_config, "numbers": [1, 2.5], "none": None, "deep": {"yes": True}}

first = Prebuilt("first", "w")

@workflow
def wf(x: str) -> str:
    return first(x=x)
"""
