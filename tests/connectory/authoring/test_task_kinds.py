"""Tasks that are no functions: instances, shims, raw containers, shell scripts; and where containers run."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectory.authoring import (
    Cache,
    FunctionTask,
    Interface,
    Resources,
    TaskFailedError,
    TaskMetadata,
    TaskPlugins,
    kwtypes,
    task,
    workflow,
)
from connectory.authoring.cache import VersionParameters
from connectory.authoring.container_task import ContainerTask
from connectory.authoring.customized_container import PythonCustomizedContainerTask, default_task_template_resolver
from connectory.authoring.errors import IgnoreOutputs
from connectory.authoring.image_spec import ImageSpec
from connectory.authoring.instance_task import PythonInstanceTask
from connectory.authoring.pod_template import PodTemplate
from connectory.authoring.shell import OutputLocation, ShellTask
from connectory.authoring.shim import ExecutableTemplateShimTask, ShimTaskExecutor
from connectory.authoring.template import CompileSettings
from connectory.compiler import compile_task
from connectory.errors import AuthoringError, RegistryError, SettingsError, TypeConversionError, UserError
from connectory.extend import PythonFunctionTask
from connectory.types import Directory, File
from connectory.v1 import literals_pb2, tasks_pb2
from connectory.v1.types_pb2 import INTEGER, STRING


class Greeting(PythonInstanceTask[str]):
    """Greets in one language."""

    def execute(self, **kwargs: Any) -> str:
        return f"{self.task_config} {kwargs['name']}"


greet = Greeting("greet", "Moin", interface=Interface({"name": str}, {"text": str}))


def test_an_instance_is_a_task_like_any_other() -> None:
    assert greet(name="Ada") == "Moin Ada"
    template = compile_task(greet)
    assert (template.type, template.id.name) == ("python-task", "greet")
    assert list(template.container.args)[-4:] == ["task-module", __name__, "task-name", "greet"]


class Concat(ShimTaskExecutor):
    def execute_from_model(self, tt: Any, **kwargs: Any) -> Any:
        return {"text": tt.custom["greeting"] + kwargs["name"], "count": len(kwargs)}


class Pair(ShimTaskExecutor):
    def execute_from_model(self, tt: Any, **kwargs: Any) -> Any:
        return "first", 2


class ConcatTask(PythonCustomizedContainerTask[str]):
    def __init__(self, name: str, greeting: str) -> None:
        interface = Interface({"name": str}, {"text": str, "count": int})
        super().__init__(name, greeting, "concat:1", Concat, task_type="concat", interface=interface)

    def get_custom(self, settings: Any) -> dict[str, Any]:
        return {"greeting": self.task_config}


def test_a_shim_runs_from_the_template_alone() -> None:
    task = ConcatTask("concat", "hi ")
    assert tuple(task(name="Ada")) == ("hi Ada", 1)
    template = tasks_pb2.TaskTemplate.FromString(compile_task(task).SerializeToString())
    assert (template.type, template.container.image, template.custom["greeting"]) == ("concat", "concat:1", "hi ")
    assert list(template.container.args)[-4:] == [
        default_task_template_resolver.location,
        "--",
        "{{.taskTemplatePath}}",
        f"{__name__}.Concat",
    ]
    again = ExecutableTemplateShimTask(template, Concat)
    assert again.interface.outputs == {"text": str, "count": int}
    inputs = literals_pb2.LiteralMap()
    inputs.literals["name"].scalar.primitive.string_value = "Bob"
    outputs = again.run(inputs)
    assert outputs.literals["text"].scalar.primitive.string_value == "hi Bob"
    assert outputs.literals["count"].scalar.primitive.integer == 1


@pytest.mark.parametrize("names", [("o0", "o1"), ("text", "count")])
def test_several_outputs_of_a_shim_are_named_because_a_template_has_no_order(names: tuple[str, str]) -> None:
    template = tasks_pb2.TaskTemplate()
    for name, kind in zip(names, (STRING, INTEGER), strict=True):
        template.interface.outputs.variables[name].type.simple = kind
    shim = ExecutableTemplateShimTask(template, Pair)
    if names == ("o0", "o1"):
        assert shim.run(literals_pb2.LiteralMap()).literals["o1"].scalar.primitive.integer == 2
        return
    with pytest.raises(TypeConversionError, match="a dict with exactly the keys count, text"):
        shim.run(literals_pb2.LiteralMap())


def test_an_executor_that_no_other_process_could_find_is_refused() -> None:
    class Hidden(Concat):
        pass

    hidden = PythonCustomizedContainerTask("hidden", None, "image", Hidden)
    with pytest.raises(AuthoringError, match="define the class at the top level"):
        default_task_template_resolver.loader_args(None, hidden)
    with pytest.raises(NotImplementedError, match="get_custom"):
        PythonCustomizedContainerTask("silent", None, "image", Concat)()


SQUARE = ContainerTask(
    name="square",
    image="alpine:3.20",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(a=int),
    outputs=kwtypes(squared=int, said=str),
    command=[
        "sh",
        "-c",
        "echo $(( {{.inputs.a}} * $(cat /var/inputs/a) )) > /var/outputs/squared; printf $WORD > /var/outputs/said",
    ],
    environment={"WORD": "done"},
    requests=Resources(cpu="1"),
)


def test_a_raw_container_compiles_to_its_command_and_folders() -> None:
    container = compile_task(SQUARE).container
    assert list(container.command)[:2] == ["sh", "-c"]
    assert container.data_config.enabled
    assert (container.data_config.input_path, container.data_config.output_path) == ("/var/inputs", "/var/outputs")
    assert container.resources.requests[0].value == "1"


def test_without_a_runtime_a_raw_container_runs_as_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_CONTAINER_RUNTIME", "process")
    assert tuple(SQUARE(a=7)) == (49, "done")


def test_a_container_runtime_is_given_the_folders_and_the_image(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runtime = tmp_path / "fake-docker"
    runtime.write_text(
        f"#!{sys.executable}\n"
        "import sys, pathlib\n"
        "pairs = [w.split(':') for w, before in zip(sys.argv[1:], sys.argv) if before == '--volume']\n"
        "mounts = {there: here for here, there in pairs}\n"
        "out = pathlib.Path(mounts['/var/outputs'])\n"
        "(out / 'squared').write_text(pathlib.Path(mounts['/var/inputs'], 'a').read_text())\n"
        "(out / 'said').write_text(' '.join(sys.argv[-4:-1]))\n"
    )
    runtime.chmod(0o755)
    monkeypatch.setenv("CONNECTORY_CONTAINER_RUNTIME", str(runtime))
    assert tuple(SQUARE(a=7)) == (7, "alpine:3.20 sh -c")


def test_a_call_that_is_given_up_ends_its_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runtime = tmp_path / "fake-docker"
    runtime.write_text(
        f"#!{sys.executable}\n"
        "import os, pathlib, signal, sys\n"
        f"log = pathlib.Path({str(tmp_path / 'log')!r})\n"
        "if sys.argv[1] == 'kill':\n"
        "    log.write_text(log.read_text() + ' killed ' + sys.argv[2])\n"
        "else:\n"
        "    log.write_text(sys.argv[sys.argv.index('--name') + 1])\n"
        "    os.kill(os.getppid(), signal.SIGINT)\n"
        "    signal.pause()\n"
    )
    runtime.chmod(0o755)
    monkeypatch.setenv("CONNECTORY_CONTAINER_RUNTIME", str(runtime))
    with pytest.raises(KeyboardInterrupt):
        SQUARE(a=7)
    started, _, killed = (tmp_path / "log").read_text().partition(" killed ")
    assert started.startswith("connectory-")
    assert killed == started


def test_what_cannot_run_here_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_CONTAINER_RUNTIME", "process")
    foreign = ContainerTask("foreign", "image", ["no-such-program-here"])
    with pytest.raises(SettingsError, match="no 'no-such-program-here'"):
        foreign()
    monkeypatch.setenv("CONNECTORY_CONTAINER_RUNTIME", "no-such-runtime")
    with pytest.raises(SettingsError, match="there is no such program"):
        foreign()


def test_a_raw_container_that_fails_or_forgets_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_CONTAINER_RUNTIME", "process")
    settings: Any = {"outputs": kwtypes(x=int), "output_data_dir": "/out"}
    with pytest.raises(TaskFailedError, match="ended with code 3: oh no"):
        ContainerTask("fails", "image", ["sh", "-c", "echo oh no >&2; exit 3"], **settings)()
    with pytest.raises(UserError, match="did not write its output 'x' to /out/x"):
        ContainerTask("forgets", "image", ["true"], **settings)()
    with pytest.raises(AuthoringError, match="no output_data_dir"):
        ContainerTask("nowhere", "image", ["true"], outputs=kwtypes(x=int))


def test_files_cross_a_raw_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONNECTORY_CONTAINER_RUNTIME", "process")
    copy = ContainerTask(
        "copy",
        "alpine",
        ["cp", "{{.inputs.source}}", "/out/copy"],
        inputs=kwtypes(source=File),
        outputs=kwtypes(copy=File),
        input_data_dir="/in",
        output_data_dir="/out",
    )
    (tmp_path / "text.txt").write_text("hello")
    assert Path(copy(source=File(str(tmp_path / "text.txt")))).read_text() == "hello"


def test_a_shell_script_names_inputs_and_outputs(tmp_path: Path) -> None:
    pack = ShellTask(
        name="pack",
        script="mkdir -p {outputs.folder}; cp {inputs.file} {outputs.folder}/; echo '{inputs.day:%Y}' > {outputs.year}",
        inputs=kwtypes(file=File, day=datetime),
        output_locs=[
            OutputLocation(var="folder", var_type=Directory, location=f"{tmp_path}/{{inputs.day:%d}}"),
            OutputLocation(var="year", var_type=File, location=f"{tmp_path}/year"),
        ],
    )
    (tmp_path / "a.txt").write_text("a")
    from_when = datetime(2030, 5, 6)
    folder, year = pack(file=File(str(tmp_path / "a.txt")), day=from_when)
    assert Path(folder, "a.txt").read_text() == "a"
    assert Path(year).read_text() == "2030\n"


def test_a_shell_script_that_fails_says_what_it_said() -> None:
    with pytest.raises(TaskFailedError, match="'broken' ended with code 4: oops"):
        ShellTask("broken", script="echo oops >&2; exit 4")()
    with pytest.raises(UserError, match="names what is not there"):
        ShellTask("typo", script="echo {inputs.b}", inputs=kwtypes(a=int))(a=1)
    with pytest.raises(AuthoringError, match="either a script or a script_file"):
        ShellTask("nothing")


@task
def nothing_to_say() -> int:
    raise IgnoreOutputs("not the first worker")


@task
def takes(a: int) -> int:
    return a


@workflow
def needs_it() -> int:
    return takes(a=nothing_to_say())


def test_ignored_outputs_are_none_and_whoever_needs_them_fails() -> None:
    assert nothing_to_say() is None
    with pytest.raises(TaskFailedError, match="the outputs of node 'n0' hold no 'o0'"):
        needs_it()


def test_images_are_named_after_their_ingredients(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy\n")
    spec = ImageSpec(
        name="Train", registry="ghcr.io/Someone", packages=["pandas"], requirements=str(tmp_path / "requirements.txt")
    )
    assert spec.image_name().startswith("ghcr.io/someone/train:")
    assert spec.with_packages("torch").tag != spec.tag
    assert ImageSpec(packages=["a"], builder="x").tag == ImageSpec(packages=["a"], builder="y").tag
    same = spec.tag
    (tmp_path / "requirements.txt").write_text("scipy\n")
    assert spec.tag != same
    with pytest.raises(AuthoringError, match="packages of the image 'connectory' is one text"):
        ImageSpec(packages="pandas")
    assert _template(container_image=spec).container.image == spec.image_name()


def test_code_knows_whether_it_runs_in_a_container_of_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ImageSpec("train", packages=["torch"])
    assert spec.is_container()
    (told,) = _template(container_image=spec).container.env
    monkeypatch.setenv(told.key, told.value)
    assert spec.is_container()
    assert not spec.with_copy("data").is_container()
    assert spec.with_copy(["data", "more"]).copy == ["data", "more"]
    built = spec.with_builder_options({"cache": True})
    assert (built.is_container(), built.builder_options) == (True, {"cache": True})


def test_labels_and_annotations_are_those_of_its_kubernetes_objects() -> None:
    metadata = _template(labels={"team": "a"}, annotations={"note": "b"}).metadata.metadata
    assert (dict(metadata.labels), dict(metadata.annotations)) == ({"team": "a"}, {"note": "b"})
    with pytest.raises(AuthoringError, match="labels of 'the metadata' has 'team': 3; keys and values are texts"):
        _template(labels={"team": 3})


@pytest.mark.parametrize(("disable", "generates"), [(True, False), (False, True)])
def test_the_older_form_of_asking_for_decks(disable: bool, generates: bool) -> None:
    assert _template(disable_deck=disable).metadata.generates_deck.value is generates
    with pytest.raises(AuthoringError, match="both enable_deck and disable_deck"):
        _template(disable_deck=disable, enable_deck=True)


def test_metadata_is_given_at_once_or_in_parts() -> None:
    assert _template(metadata=TaskMetadata(retries=3)).metadata.retries.retries == 3
    with pytest.raises(AuthoringError, match="@task is given metadata and retries; say everything in the metadata"):
        _template(metadata=TaskMetadata(), retries=3)
    with pytest.raises(AuthoringError, match=r"metadata of '@task' is \{\}; give a TaskMetadata"):
        _template(metadata={})


def _plain(a: int) -> int:
    return a


def _template(**settings: Any) -> tasks_pb2.TaskTemplate:
    """The template of a function that no variable holds as a task."""
    return task(task_resolver=Anywhere(), **settings)(_plain).template(CompileSettings())


class Anywhere:
    """A resolver for tests that run nothing."""

    location = "nowhere"

    def loader_args(self, task: Any) -> list[str]:
        return ["x"]

    def load_task(self, loader_args: Any) -> Any:
        raise NotImplementedError


def test_a_pod_is_merged_with_the_tasks_container() -> None:
    pod = PodTemplate(
        pod_spec={
            "containers": [{"name": "main", "env": [{"name": "B", "value": "2"}]}, {"name": "side", "image": "s"}]
        },
        primary_container_name="main",
        labels={"team": "x"},
    )
    template = _template(pod_template=pod, environment={"A": "1"}, requests=Resources(cpu="2"))
    main, side = template.k8s_pod.pod_spec["containers"]
    assert [dict(pair) for pair in main["env"]] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    assert main["resources"]["requests"]["cpu"] == "2"
    assert main["image"] == "connectory"
    assert side["image"] == "s"
    assert template.config["primary_container_name"] == "main"
    assert template.k8s_pod.metadata.labels["team"] == "x"


class FakeClientModel:
    """Shaped like the models of Kubernetes' own Python client: snake case inside, camel case on the wire."""

    def __init__(self, **values: Any) -> None:
        self.attribute_map = {name: name.replace("_s", "S").replace("_p", "P") for name in (*values, "not_set")}
        self.not_set = None
        for name, value in values.items():
            setattr(self, name, value)


def test_a_pod_may_be_an_object_of_a_kubernetes_client() -> None:
    toleration = FakeClientModel(key="gpu", toleration_seconds=5)
    pod = PodTemplate(pod_spec=FakeClientModel(node_selector={"disk": "fast"}, tolerations=[toleration]))
    assert pod.spec() == {
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "gpu", "tolerationSeconds": 5}],
    }
    assert pod.version_hash() == PodTemplate(pod_spec=pod.spec()).version_hash()
    with pytest.raises(AuthoringError, match="the pod_spec of a PodTemplate is a mapping"):
        PodTemplate(pod_spec=["containers"])
    with pytest.raises(AuthoringError, match="names its primary container"):
        PodTemplate(primary_container_name="")


class ByImage:
    """A cache policy that follows the image."""

    def get_version(self, salt: str, params: VersionParameters) -> str:
        return f"{salt}{params.container_image}"


def test_cache_policies_decide_the_version() -> None:
    def version(**settings: Any) -> str:
        cache = Cache(policies=ByImage(), **settings)
        return _template(cache=cache, container_image="i:1").metadata.discovery_version

    assert version() == version()
    assert version(salt="x") != version()
    with pytest.raises(AuthoringError, match="is no cache policy"):
        Cache(policies=[3])  # type: ignore[list-item]
    with pytest.raises(AuthoringError, match="policies of 'the cache' is 3; it is a list"):
        Cache(policies=3)  # type: ignore[arg-type]
    assert Cache(ignored_inputs="a").get_ignored_inputs() == ("a",)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"container_image": 5}, "container_image of '.*' is 5; give a text or a ImageSpec"),
        ({"pod_template": {"containers": []}}, "pod_template of '.*' is .*; give a PodTemplate"),
        ({"environment": {"A": 1}}, "environment of '.*' has 'A': 1; keys and values are texts"),
        ({"environment": ["A"]}, "it is a dict of texts"),
        ({"secret_requests": ["key"]}, "a member of secret_requests of '.*' is 'key'; give a Secret"),
        ({"secret_requests": "key"}, "it is a list"),
        ({"requests": "1"}, "requests of '.*' is '1'; give a Resources"),
        ({"deck_fields": ["Input"]}, "give a DeckField"),
        ({"deprecated": 3}, "deprecated of 'the metadata' is 3; give a text"),
        ({"interruptible": "yes"}, "interruptible of 'the metadata' is 'yes'; give a bool"),
        ({"cache": True, "cache_version": 2}, "cache_version of 'the metadata' is 2; give a text"),
    ],
)
def test_settings_that_are_something_else_are_refused_where_they_are_written(
    settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(AuthoringError, match=said) as caught:
        _template(**settings)
    assert "test_task_kinds.py" in str(caught.value)


def test_a_config_class_is_routed_to_one_task_class() -> None:
    class Config:
        pass

    class First(PythonFunctionTask[Config]):
        pass

    class Second(First):
        pass

    assert TaskPlugins.find_pythontask_plugin(Config) is FunctionTask
    TaskPlugins.register_pythontask_plugin(Config, First)
    assert TaskPlugins.find_pythontask_plugin(Config) is First
    TaskPlugins.register_pythontask_plugin(Config, First)
    with pytest.raises(RegistryError, match="are made First tasks already, so they cannot be made Second tasks"):
        TaskPlugins.register_pythontask_plugin(Config, Second)
    assert isinstance(task(task_config=Config())(_plain), First)


def test_importing_starts_nothing_and_touches_no_file() -> None:
    program = (
        "import signal, sys, threading\n"
        "before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]\n"
        "opened = []\n"
        "writes = lambda event, args: event == 'open' and 'w' in str(args[1])\n"
        "sys.addaudithook(lambda event, args: writes(event, args) and opened.append(args[0]))\n"
        "import connectory\nfrom connectory import *\n"
        "import connectory.execute\n"
        "after = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]\n"
        "heavy = [m for m in ('grpc', 'pandas', 'numpy', 'pyarrow', 'obstore') if m in sys.modules]\n"
        "print(before == after, opened, heavy, threading.active_count())"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "True [] [] 1"


def test_metadata_is_honoured_by_kinds_of_every_sort() -> None:
    metadata = TaskMetadata(retries=10, timeout=timedelta(minutes=20))
    timed = Greeting("timed", "x", interface=Interface({"name": str}, {"text": str}), metadata=metadata)
    assert compile_task(ContainerTask("c", "i", ["true"], metadata=metadata)).metadata.retries.retries == 10
    assert timed.metadata.timeout == timedelta(minutes=20)
