"""A fake kubelet and scheduler: binds pods to the one node that there is, and runs their containers as processes here.

What is real is everything else: the API server that it reports to, the Job controller, the garbage collector. What it
does not do: images, cgroups, networks, mounts. The folders of a container's mounts are replaced in its words by those
of this machine. Annotations of a pod say what else is to happen to it.
"""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

import httpx2
from lightkube import KubeConfig
from lightkube.config.client_adapter import AsyncClient, ConnectionParams

from connectory.authoring.container_words import with_folders
from tests.kubernetes.kubelet_logs import Logs, serving_logs

__all__ = ["FATE", "NODE", "fake_kubelet"]

NODE = "fake"
FATE = "fake-kubelet/fate"
"""The annotation that says what happens once a pod's program runs: `oom`, `evicted` or `lost`."""
ROOT = Path(__file__).parents[2]
_MERGE = {"Content-Type": "application/merge-patch+json"}
_LONGEST_GRACE = 2.0


@contextmanager
def fake_kubelet(kubeconfig: Path, folder: Path) -> Iterator[None]:
    """It runs, as a process of its own, until the end of the block."""
    command = [sys.executable, "-m", "tests.kubernetes.kubelet", str(kubeconfig), str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            process.terminate()


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Pod:
    """A pod on this node, and what is reported of it."""

    api: "Api"
    manifest: dict[str, Any]
    folder: Path
    logs: Logs
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    fated: bool = False

    @property
    def path(self) -> str:
        metadata = self.manifest["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"

    @property
    def fate(self) -> str:
        return self.manifest["metadata"].get("annotations", {}).get(FATE, "")

    async def run(self) -> None:
        """From the first init container to the last status."""
        spec = self.manifest["spec"]
        self.folder.mkdir(parents=True)
        await self.volumes()
        init = spec.get("initContainers", [])
        steps = [[one] for one in init if one.get("restartPolicy") != "Always"] + [spec["containers"]]
        beside = [one for one in init if one.get("restartPolicy") == "Always"]
        for sidecar in beside:
            await self.start(sidecar)
        for step in steps:
            codes = await asyncio.gather(*(self.run_one(container) for container in step))
            if any(codes) or self.fated:
                break
        await self.kill()
        if not self.fated:
            await self.report("Failed" if any(codes) else "Succeeded")

    async def run_one(self, container: Mapping[str, Any]) -> int:
        name = container["name"]
        process = await self.start(container)
        if process is None:
            return 128
        code = await process.wait()
        await self.logs.ended(self.key(name))
        code = 128 - code if code < 0 else code
        reason = "Completed" if code == 0 else "OOMKilled" if self.fate == "oom" and code == 137 else "Error"
        message = self.logs.tail(self.key(name)) if code else ""
        self.statuses[name] = {"terminated": {"exitCode": code, "reason": reason, "message": message, **_times()}}
        if not self.fated:
            await self.report("Running" if code == 0 else "Pending")
        return code

    async def start(self, container: Mapping[str, Any]) -> asyncio.subprocess.Process | None:
        """Start the container as a process; None when its command cannot be."""
        name, image = container["name"], container["image"]
        while image.startswith("missing"):
            await self.wait_for(name, "ImagePullBackOff", f'Back-off pulling image "{image}"')
        environment = await self.environment(container)
        mounts = [(one["mountPath"], self.mounted(one)) for one in container.get("volumeMounts", ())]
        words = [with_folders(word, mounts) for word in (*container.get("command", ()), *container.get("args", ()))]
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                env=environment,
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError, TypeError) as error:
            end = {"exitCode": 128, "reason": "StartError", "message": f"failed to create containerd task: {error}"}
            self.statuses[name] = {"terminated": {**end, **_times()}}
            return None
        self.processes[name] = process
        self.logs.follow(self.key(name), process)
        self.statuses[name] = {"running": {"startedAt": now()}}
        await self.report("Running")
        if self.fate and not name.startswith("connectory-"):
            await self.meet_fate(process)
        return process

    async def meet_fate(self, process: asyncio.subprocess.Process) -> None:
        if self.fate == "oom":
            process.kill()
            return
        self.fated = True
        await self.kill()
        evicted = self.fate == "evicted"
        reason = "TerminationByKubelet" if evicted else "DeletionByPodGC"
        disrupted = {"type": "DisruptionTarget", "status": "True", "reason": reason, "lastTransitionTime": now()}
        why = {"reason": "Evicted", "message": "The node was low on resource: memory."} if evicted else {}
        await self.report("Failed", [disrupted], **why)
        if not evicted:
            await self.api.call("DELETE", self.path, {"gracePeriodSeconds": 0})

    async def wait_for(self, name: str, reason: str, message: str) -> None:
        self.statuses[name] = {"waiting": {"reason": reason, "message": message}}
        await self.report("Pending")
        await asyncio.sleep(0.2)

    async def environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        given = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        for source in container.get("envFrom", ()):
            given |= await self.secret(container["name"], source["secretRef"]["name"])
        for variable in container.get("env", ()):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference is None:
                given[variable["name"]] = variable.get("value", "")
            else:
                found = await self.secret(container["name"], reference["name"])
                given[variable["name"]] = found[reference["key"]]
        return given

    async def secret(self, container: str, name: str) -> dict[str, str]:
        path = f"/api/v1/namespaces/{self.manifest['metadata']['namespace']}/secrets/{name}"
        while (found := await self.api.call("GET", path)) is None:
            await self.wait_for(container, "CreateContainerConfigError", f'secret "{name}" not found')
        return {key: _decoded(value) for key, value in found["data"].items()}

    async def volumes(self) -> None:
        for volume in self.manifest["spec"].get("volumes", ()):
            place = self.folder / "volumes" / volume["name"]
            place.mkdir(parents=True)
            if "secret" in volume:
                for key, text in (await self.secret("", volume["secret"]["secretName"])).items():
                    (place / key).write_text(text)

    def mounted(self, mount: Mapping[str, Any]) -> PurePath:
        return self.folder / "volumes" / mount["name"] / mount.get("subPath", "")

    async def kill(self) -> None:
        """End all processes: SIGTERM, and SIGKILL after the grace."""
        alive = [process for process in self.processes.values() if process.returncode is None]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in alive:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            if alive:
                await asyncio.wait([asyncio.ensure_future(one.wait()) for one in alive], timeout=_LONGEST_GRACE)

    async def remove(self) -> None:
        """End it, and tell the API first how its containers ended, then that it is gone."""
        await self.kill()
        cut_short = [name for name in self.processes if "terminated" not in self.statuses[name]]
        for name in cut_short:
            self.statuses[name] = {"terminated": {"exitCode": 137, "reason": "Error", **_times()}}
        if cut_short and not self.fated:
            await self.report("Failed")
        await self.api.call("DELETE", self.path, {"gracePeriodSeconds": 0})

    def key(self, container: str) -> str:
        metadata = self.manifest["metadata"]
        return f"{metadata['namespace']}/{metadata['name']}/{container}"

    async def report(self, phase: str, conditions: list[dict[str, Any]] | None = None, **more: str) -> None:
        spec = self.manifest["spec"]
        init, main = spec.get("initContainers", []), spec["containers"]
        if phase == "Running" and not any("running" in self.statuses.get(one["name"], {}) for one in main):
            phase = "Pending"
        scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": now()}
        status = {
            "phase": phase,
            "conditions": [scheduled, *(conditions or [])],
            "startTime": self.manifest["metadata"]["creationTimestamp"],
            "initContainerStatuses": [self.status(one) for one in init],
            "containerStatuses": [self.status(one) for one in main],
            **more,
        }
        await self.api.call("PATCH", f"{self.path}/status", {"status": status}, headers=_MERGE)

    def status(self, container: Mapping[str, Any]) -> dict[str, Any]:
        state = self.statuses.get(container["name"], {"waiting": {"reason": "PodInitializing"}})
        ready = "running" in state
        given = {"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0}
        return {**given, "ready": ready, "started": ready, "state": state}


class Api:
    """The API server."""

    def __init__(self, kubeconfig: Path) -> None:
        config = KubeConfig.from_file(kubeconfig).get()
        assert config is not None
        self.client = AsyncClient(config, ConnectionParams(timeout=httpx2.Timeout(30)))

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any] | None:
        """The answer; None when there is no such thing (any more)."""
        if body is not None:
            options = {"headers": {"Content-Type": "application/json"}, **options, "content": json.dumps(body)}
        response = await self.client.request(method, path, **options)
        if response.status_code in (404, 409, 422):
            return None
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    async def pods(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """What happens to pods, from the beginning."""
        timeout = httpx2.Timeout(30, read=None)
        parameters = {"watch": "true"}
        async with self.client.stream("GET", "/api/v1/pods", params=parameters, timeout=timeout) as response:
            async for line in response.aiter_lines():
                event = json.loads(line)
                yield event["type"], event["object"]


class Kubelet:
    """The node."""

    def __init__(self, api: Api, folder: Path, logs: Logs) -> None:
        self.api = api
        self.folder = folder
        self.logs = logs
        self.pods: dict[str, Pod] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def register(self, port: int) -> None:
        await self.api.call("POST", "/api/v1/nodes", {"metadata": {"name": NODE, "labels": {"kind": "fake"}}})
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        await self.api.call("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": status}, headers=_MERGE)

    async def work(self) -> None:
        async for kind, manifest in self.api.pods():
            if kind in ("ADDED", "MODIFIED"):
                await self.look(manifest)

    async def look(self, manifest: dict[str, Any]) -> None:
        uid, spec = manifest["metadata"]["uid"], manifest["spec"]
        pod = self.pods.get(uid) or Pod(self.api, manifest, self.folder / uid, self.logs)
        if manifest["metadata"].get("deletionTimestamp"):
            if spec.get("nodeName") and (task := self.tasks.pop(uid, None)) is not None:
                task.cancel()
                await asyncio.wait([task])
                await pod.remove()
        elif not spec.get("nodeName"):
            await self.schedule(pod)
        elif uid not in self.pods and manifest["status"]["phase"] == "Pending":
            self.pods[uid] = pod
            self.tasks[uid] = asyncio.create_task(pod.run())

    async def schedule(self, pod: Pod) -> None:
        if pod.manifest["spec"].get("nodeSelector", {"kind": "fake"}) == {"kind": "fake"}:
            target = {"target": {"kind": "Node", "name": NODE}, "metadata": {"name": pod.manifest["metadata"]["name"]}}
            await self.api.call("POST", f"{pod.path}/binding", target)
        elif not pod.manifest["status"].get("conditions"):
            text = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
            refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": text}
            status = {"conditions": [{**refused, "lastTransitionTime": now()}]}
            await self.api.call("PATCH", f"{pod.path}/status", {"status": status}, headers=_MERGE)

    async def close(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        for pod in self.pods.values():
            await pod.kill()


def _times() -> dict[str, str]:
    return {"startedAt": now(), "finishedAt": now()}


def _decoded(value: str) -> str:
    return base64.b64decode(value).decode()


async def main(kubeconfig: Path, folder: Path) -> None:
    logs = Logs()
    async with serving_logs(logs, folder) as port:
        kubelet = Kubelet(Api(kubeconfig), folder, logs)
        await kubelet.register(port)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        working = asyncio.create_task(kubelet.work())
        print("ready", flush=True)
        await asyncio.wait([working, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        await kubelet.close()


if __name__ == "__main__":
    Path(sys.argv[2]).mkdir(parents=True)
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
