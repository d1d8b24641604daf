"""A fake kubelet and scheduler: binds pods to the one node that there is, and runs their containers as processes here.

What is real is everything else: the API server that it reports to, the Job controller, the garbage collector. What it
does not do: images, cgroups, networks, mounts. The folders of a container's mounts are replaced in its words by those
of this machine. Annotations of a pod say what else is to happen to it.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.kubernetes.kubelet_api import MERGE, Api
from tests.kubernetes.kubelet_logs import Logs, serving_logs
from tests.kubernetes.kubelet_pods import Pod, now

__all__ = ["NODE", "fake_kubelet"]

NODE = "fake"
ROOT = Path(__file__).parents[2]


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
        await self.api.call("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": status}, headers=MERGE)

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
            await self.api.call("PATCH", f"{pod.path}/status", {"status": status}, headers=MERGE)

    async def close(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        for pod in self.pods.values():
            await pod.kill()


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
