"""A pod of the fake kubelet: its containers are processes, its volumes folders."""

import asyncio
import base64
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from connectory.authoring.container_words import with_folders
from tests.kubernetes.kubelet_api import MERGE, Api
from tests.kubernetes.kubelet_logs import Logs

__all__ = ["FATE", "Pod", "now"]

FATE = "fake-kubelet/fate"
"""The annotation that says what happens once a pod's program runs: `oom`, `evicted` or `lost`."""
ROOT = Path(__file__).parents[2]
_LONGEST_GRACE = 2.0


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Pod:
    """A pod on this node, and what is reported of it."""

    api: Api
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
        for sidecar in beside:
            self.statuses[sidecar["name"]] = {"terminated": {"exitCode": 143, "reason": "Error", **_times()}}
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
        await self.api.call("PATCH", f"{self.path}/status", {"status": status}, headers=MERGE)

    def status(self, container: Mapping[str, Any]) -> dict[str, Any]:
        state = self.statuses.get(container["name"], {"waiting": {"reason": "PodInitializing"}})
        ready = "running" in state
        given = {"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0}
        return {**given, "ready": ready, "started": ready, "state": state}


def _times() -> dict[str, str]:
    return {"startedAt": now(), "finishedAt": now()}


def _decoded(value: str) -> str:
    return base64.b64decode(value).decode()
