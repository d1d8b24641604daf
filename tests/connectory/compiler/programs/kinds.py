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

PROGRAMS["sql"] = """
query = SQLTask(
    "query", "SELECT {{ .inputs.a }}", task_type="sql_task", inputs=kwtypes(a=int),
    metadata=TaskMetadata(retries=1), outputs=kwtypes(results=StructuredDataset),
)

@workflow
def wf(a: int) -> StructuredDataset:
    return query(a=a)
"""

PROGRAMS["sql_of_a_warehouse"] = """
@dataclass
class Warehouse:
    account: str
    role: typing.Optional[str] = None

class WarehouseTask(SQLTask[Warehouse]):
    def __init__(self, name, query_template, task_config, inputs=None, output_schema_type=None, **kwargs):
        outputs = {} if output_schema_type is None else {"results": output_schema_type}
        super().__init__(
            name=name, task_config=task_config, query_template=query_template, inputs=inputs, outputs=outputs,
            task_type="warehouse", **kwargs,
        )

    def get_config(self, settings):
        return {"account": self.task_config.account}

    def get_custom(self, settings):
        return {"role": self.task_config.role, "query": self.query_template}

    def get_sql(self, settings):
        return Sql(statement=self.query_template)

query = WarehouseTask(
    "query", "SELECT 1", Warehouse("me"), inputs=kwtypes(day=datetime.datetime), output_schema_type=StructuredDataset,
    metadata=TaskMetadata(cache=True, cache_version="1"),
)

@workflow
def wf(day: datetime.datetime) -> StructuredDataset:
    return query(day=day)
"""

_ROUTED = """
@dataclass
class Cluster:
    workers: int
    image: str = "i:1"

class ClusterTask(PythonFunctionTask[Cluster]):
    def __init__(self, task_config, task_function, **kwargs):
        super().__init__(task_config, task_function, task_type="cluster", **kwargs)

    def get_custom(self, settings):
        return {"workers": self.task_config.workers, "nested": {"image": self.task_config.image}}

    def get_config(self, settings):
        return {"kind": "big"}

TaskPlugins.register_pythontask_plugin(Cluster, ClusterTask)

@task(task_config=Cluster(workers=3), retries=2, requests=Resources(cpu="1"))
def step(a: int) -> int:
    return a
"""

PROGRAMS["task_config"] = f"""{_ROUTED}
@workflow
def wf(a: int) -> int:
    return step(a=a)
"""

PROGRAMS["task_config_mapped"] = f"""{_ROUTED}
@workflow
def wf(a: typing.List[int]) -> typing.List[int]:
    return map_task(step)(a=a)
"""

PROGRAMS["task_config_overridden"] = f"""{_ROUTED}
@workflow
def wf(a: int) -> int:
    return step(a=a).with_overrides(task_config=Cluster(workers=9))
"""

PROGRAMS["instance"] = """
class Waiting(PythonInstanceTask[str]):
    def __init__(self, name, config, **kwargs):
        super().__init__(
            name, config, task_type="waiting", interface=Interface(inputs={"x": (int, 3)}, outputs={"y": int}), **kwargs
        )

    def execute(self, **kwargs):
        return kwargs["x"]

wait = Waiting("wait", "c", container_image="registry.example/x:2", environment={"A": "b"})

@workflow
def wf(x: int) -> int:
    return wait(x=wait())
"""

_SPEC = {
    "containers": (
        'V1PodSpec(containers=[V1Container(name="primary", env=[V1EnvVar(name="A", value="b")]), '
        'V1Container(name="side", image="side:1", command=["sleep"], args=["1"], '
        "ports=[V1ContainerPort(container_port=80)])])"
    ),
    "volumes": (
        'V1PodSpec(containers=[V1Container(name="primary", volume_mounts=[V1VolumeMount(name="v", mount_path="/v")])], '
        'volumes=[V1Volume(name="v", empty_dir=V1EmptyDirVolumeSource(medium="Memory"))])'
    ),
    "scheduling": (
        'V1PodSpec(containers=[V1Container(name="primary")], node_selector={"disk": "ssd"}, '
        'tolerations=[V1Toleration(key="gpu", operator="Exists", effect="NoSchedule")], '
        'service_account_name="account", restart_policy="Never", termination_grace_period_seconds=30)'
    ),
    "init": (
        'V1PodSpec(containers=[], init_containers=[V1Container(name="init", image="i:1", image_pull_policy="Always")])'
    ),
    "resources": (
        'V1PodSpec(containers=[V1Container(name="primary", image="own:1", '
        'resources=V1ResourceRequirements(requests={"cpu": "1"}, limits={"cpu": "2"}))])'
    ),
}

PROGRAMS |= {
    f"pod_{name}": f"""
from kubernetes.client.models import *

@task(
    pod_template=PodTemplate(pod_spec={text}, labels={{"a": "b"}}, annotations={{"c": "d"}}),
    environment={{"X": "y"}}, requests=Resources(cpu="1", mem="1Gi"), limits=Resources(gpu="1"),
)
def step(a: int) -> int:
    return a

@workflow
def wf(a: int) -> int:
    return step(a=a)
"""
    for name, text in _SPEC.items()
}

PROGRAMS["pod_primary"] = """
from kubernetes.client.models import *

pod = PodTemplate(
    V1PodSpec(containers=[V1Container(name="side", image="s:1"), V1Container(name="main")]),
    primary_container_name="main",
)

@task(pod_template=pod)
def step(a: int) -> int:
    return a

@workflow
def wf(a: int) -> int:
    return step(a=a)
"""

PROGRAMS["pod_override"] = """
from kubernetes.client.models import *

@workflow
def wf(a: int) -> int:
    pod = PodTemplate(V1PodSpec(containers=[V1Container(name="primary")], node_selector={"disk": "ssd"}))
    return double(a=a).with_overrides(pod_template=pod)
"""

PROGRAMS["pod_of_a_map"] = """
from kubernetes.client.models import *

@task(pod_template=PodTemplate(V1PodSpec(containers=[V1Container(name="primary")], host_network=True)))
def step(a: int) -> int:
    return a

@workflow
def wf(a: typing.List[int]) -> typing.List[int]:
    return map_task(step)(a=a)
"""

PROGRAMS["pod_of_a_raw_container"] = """
from kubernetes.client.models import *

raw = ContainerTask(
    name="raw", image="registry.example/raw:1", command=["cat", "/in/a"], inputs=kwtypes(a=int), input_data_dir="/in",
    pod_template=PodTemplate(V1PodSpec(containers=[], node_selector={"disk": "ssd"})),
)

@workflow
def wf(a: int):
    raw(a=a)
"""
