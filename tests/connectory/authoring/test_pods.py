"""The pod around a task's container, said as a mapping or by the objects of a Kubernetes client."""

from typing import Any

import pytest
from kubernetes.client import models as official
from lightkube.models import core_v1 as light

from connectory.authoring import PodTemplate, task
from connectory.compiler import compile_task
from connectory.errors import AuthoringError

PLAIN: dict[str, Any] = {
    "containers": [
        {"name": "primary", "env": [{"name": "A", "value": "b"}], "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
        {"name": "side", "image": "side:1"},
    ],
    "nodeSelector": {"disk": "fast"},
    "serviceAccountName": "account",
    "volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}],
}
OFFICIAL = official.V1PodSpec(
    containers=[
        official.V1Container(
            name="primary",
            env=[official.V1EnvVar(name="A", value="b")],
            volume_mounts=[official.V1VolumeMount(name="v", mount_path="/v")],
        ),
        official.V1Container(name="side", image="side:1"),
    ],
    node_selector={"disk": "fast"},
    service_account_name="account",
    volumes=[official.V1Volume(name="v", empty_dir=official.V1EmptyDirVolumeSource(medium="Memory"))],
)
LIGHT = light.PodSpec(
    containers=[
        light.Container(
            name="primary",
            env=[light.EnvVar(name="A", value="b")],
            volumeMounts=[light.VolumeMount(name="v", mountPath="/v")],
        ),
        light.Container(name="side", image="side:1"),
    ],
    nodeSelector={"disk": "fast"},
    serviceAccountName="account",
    volumes=[light.Volume(name="v", emptyDir=light.EmptyDirVolumeSource(medium="Memory"))],
)


def plainly(a: int) -> int:
    return a


@pytest.mark.parametrize("spec", [PLAIN, OFFICIAL, LIGHT], ids=["mapping", "kubernetes", "lightkube"])
def test_a_pod_is_the_same_however_it_is_said(spec: Any) -> None:
    pod = PodTemplate(spec)
    assert pod.spec() == PLAIN
    assert pod.version_hash() == PodTemplate(PLAIN).version_hash()
    made = task(pod_template=pod, task_resolver=Anywhere())(plainly)
    primary, side = compile_task(made, image="image:1").k8s_pod.pod_spec["containers"]
    assert (primary["image"], primary["args"][0]) == ("image:1", "connectory-execute")
    assert primary["env"][0]["name"] == "A"
    assert side["image"] == "side:1"


@pytest.mark.parametrize("spec", ["text", 3, [1], {"containers": {"name": "x"}}, official.V1Pod(spec=OFFICIAL)])
def test_what_is_no_pod_is_refused(spec: Any) -> None:
    with pytest.raises(AuthoringError, match="pod_spec"):
        PodTemplate(spec)


class Anywhere:
    """A resolver for a function that no other process needs to find."""

    location = "somewhere"

    def loader_args(self, task: Any) -> list[str]:
        return []

    def load_task(self, loader_args: Any) -> Any:
        raise NotImplementedError
