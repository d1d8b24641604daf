"""The pod of a Job: the task's container in its place, with what carries the data around it."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.k8s_job.config import MAIN, KubernetesJobConfig
from connectors.k8s_job.hardware import put_shared_memory, with_devices
from connectors.k8s_job.program import Program

__all__ = ["BRING", "DELIVER", "Carrier", "pod_spec"]

BRING: Final = "connectory-bring"
DELIVER: Final = "connectory-deliver"
_VOLUME: Final = "connectory-data"
_FOLDER: Final = "/connectory"
_NAMED: Final = frozenset({"containers", "initContainers", "volumes"})
_SAY_WHY: Final = {"terminationMessagePolicy": "FallbackToLogsOnError"}


class Carrier:
    """The containers that bring a program's inputs and deliver its outputs, by an image with this project in it."""

    def __init__(self, image: str, prefix: str, secrets: Sequence[str]) -> None:
        self._image = image
        self._prefix = prefix
        self._secrets = secrets

    def container(self, name: str, errand: str) -> dict[str, Any]:
        """The container of one errand."""
        command = ["python", "-m", "connectory.execute.carry", errand, "--prefix", self._prefix, "--folder", _FOLDER]
        return {
            "name": name,
            "image": self._image,
            "command": command,
            "envFrom": [{"secretRef": {"name": secret}} for secret in self._secrets],
            "volumeMounts": [{"name": _VOLUME, "mountPath": _FOLDER}],
            **_SAY_WHY,
        }


def pod_spec(
    program: Program,
    config: KubernetesJobConfig,
    base: Mapping[str, Any],
    *,
    account: str,
    selector: Mapping[str, str],
    carrier: Carrier | None,
) -> dict[str, Any]:
    """The PodSpec: `base` below what the program's pod says, below what the config says.

    With a carrier the program runs between two containers of it. They follow one another because all but the last are
    init containers. Others that the pod has run beside them, as native sidecars, and end with them.
    """
    spec = _merged(_for(program, copy.deepcopy(base)), copy.deepcopy(program.pod))
    spec["restartPolicy"] = "Never"
    account = config.service_account or spec.get("serviceAccountName", "") or account
    if account:
        spec["serviceAccountName"] = account
    if selector or config.node_selector:
        spec["nodeSelector"] = {**spec.get("nodeSelector", {}), **selector, **config.node_selector}
    _append(spec, "tolerations", config.tolerations)
    _append(spec, "imagePullSecrets", [{"name": name} for name in config.image_pull_secrets])
    own = _own(spec, program)
    _mount_secrets(spec, own, program.secret_files)
    put_shared_memory(spec, own, program.hardware)
    if carrier is not None:
        _share_folders(spec, own, program)
    _arrange(spec, own, carrier)
    return spec


def _for(program: Program, base: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is under all pods; its container `main` is the task's own, whatever that is called."""
    containers = base.get("containers", ())
    return {**base, "containers": [{**one, "name": program.name} if one["name"] == MAIN else one for one in containers]}


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both specs. Of lists whose members have names, members of one name are one."""
    spec = {**base, **over}
    for field in sorted(_NAMED & base.keys() & over.keys()):
        members = {one["name"]: one for one in base[field]}
        for one in over[field]:
            members[one["name"]] = {**members.get(one["name"], {}), **one}
        spec[field] = list(members.values())
    return spec


def _own(spec: dict[str, Any], program: Program) -> dict[str, Any]:
    """The task's own container, which is added when the pod has none of its name."""
    containers = spec.setdefault("containers", [])
    own = next((one for one in containers if one.get("name") == program.name), None)
    if own is None:
        own = {"name": program.name}
        containers.insert(0, own)
    said = dict(program.container)
    own["env"] = [*own.get("env", ()), *said.pop("env")]
    own["envFrom"] = [*own.get("envFrom", ()), *said.pop("envFrom")]
    own["resources"] = with_devices({**own.get("resources", {}), **said.pop("resources")}, program.hardware)
    own.update(said)
    own.setdefault("terminationMessagePolicy", _SAY_WHY["terminationMessagePolicy"])
    return own


def _mount_secrets(spec: dict[str, Any], own: dict[str, Any], folders: Mapping[str, str]) -> None:
    for place, (folder, secret) in enumerate(folders.items()):
        name = f"connectory-secret-{place}"
        _append(spec, "volumes", [{"name": name, "secret": {"secretName": secret}}])
        _append(own, "volumeMounts", [{"name": name, "mountPath": folder, "readOnly": True}])


def _share_folders(spec: dict[str, Any], own: dict[str, Any], program: Program) -> None:
    _append(spec, "volumes", [{"name": _VOLUME, "emptyDir": {}}])
    for path, part in ((program.data.input_path, "inputs"), (program.data.output_path, "outputs")):
        if path:
            _append(own, "volumeMounts", [{"name": _VOLUME, "mountPath": path, "subPath": part}])


def _arrange(spec: dict[str, Any], own: dict[str, Any], carrier: Carrier | None) -> None:
    """Put the containers into the order in which they run."""
    beside = [{**one, "restartPolicy": "Always"} for one in spec["containers"] if one is not own]
    before = spec.pop("initContainers", [])
    if carrier is not None:
        before = [*before, carrier.container(BRING, "bring"), *beside, own]
        own = carrier.container(DELIVER, "deliver")
    else:
        before = [*before, *beside]
    if before:
        spec["initContainers"] = before
    spec["containers"] = [own]


def _append(place: dict[str, Any], field: str, more: Sequence[Any]) -> None:
    if more:
        place[field] = [*place.get(field, ()), *more]
