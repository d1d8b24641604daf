"""What a container is run by."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from typing import Final

from connectory.authoring.container_words import PROCESS, RUNTIME_SETTING, RUNTIMES, runtime_answers
from connectory.connector.contract import TaskCategory
from connectory.errors import NotFoundError, SettingsError
from workflow_runner.plugins.routes import Routes

__all__ = ["KUBERNETES", "KUBERNETES_JOB", "PROCESS_JOB", "Runtimes", "no_runtime"]

KUBERNETES: Final = "kubernetes"
PROCESS_JOB: Final = "process"
KUBERNETES_JOB: Final = "k8s_job"
_HERE: Final = ("unix:", "localhost:", "127.0.0.1:", "[::1]:")


def no_runtime(words: Sequence[str], otherwise: str) -> str:
    """Why nothing can run a container with this command, where Kubernetes does not either."""
    if os.environ.get(RUNTIME_SETTING):
        return otherwise
    own = repr(words[0]) if words else "command"
    return (
        f"nothing here can run the container: no container runtime answers, this machine has no {own} of its "
        f"own, and {otherwise}. Start docker or podman, or name another runtime in {RUNTIME_SETTING}"
    )


class Runtimes:
    """Chooses: what CONNECTORY_CONTAINER_RUNTIME says, or the first of docker and podman that answers, or the command
    as it is when this machine has its program, or a connector service that offers `k8s_job`.
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._found: str | None = None

    async def choose(self, words: Sequence[str]) -> str:
        """The runtime for a container with this command; empty: the image's own. SettingsError: there is none."""
        chosen = os.environ.get(RUNTIME_SETTING, "")
        if chosen == KUBERNETES:
            await self._require_kubernetes()
            return KUBERNETES
        if chosen and chosen != PROCESS and shutil.which(chosen) is None:
            raise SettingsError(f"{RUNTIME_SETTING} is {chosen!r}, and there is no such program")
        found = chosen or await self._answering()
        if not found and not (words and shutil.which(words[0])):
            return await self._elsewhere(words)
        await self._require_processes()
        return found or PROCESS

    async def of_pod(self, task: str) -> str:
        """The runtime for a task with a whole pod, which only a cluster runs. SettingsError: there is none."""
        try:
            await self._require_kubernetes()
        except SettingsError as error:
            raise SettingsError(f"task {task!r} has a pod template, which only Kubernetes runs, and {error}") from error
        return KUBERNETES

    async def _answering(self) -> str:
        """The runtime that answers; one that did not may do so the next time."""
        if self._found is None:
            for name in RUNTIMES:
                if await asyncio.to_thread(runtime_answers, name):
                    self._found = name
        return self._found or ""

    async def _elsewhere(self, words: Sequence[str]) -> str:
        try:
            await self._require_kubernetes()
        except SettingsError as error:
            raise SettingsError(no_runtime(words, str(error))) from error
        return KUBERNETES

    async def _require_kubernetes(self) -> None:
        try:
            await self._routes.find(TaskCategory(KUBERNETES_JOB))
        except NotFoundError as error:
            raise SettingsError(f"no connector service offers {KUBERNETES_JOB!r}") from error

    async def _require_processes(self) -> None:
        remedy = "containers run on this machine as jobs of a connector service that is on it"
        try:
            route = await self._routes.find(TaskCategory(PROCESS_JOB))
        except NotFoundError as error:
            raise SettingsError(f"no connector service offers {PROCESS_JOB!r}: {remedy}") from error
        if not route.client.target.startswith(_HERE):
            raise SettingsError(f"the service that offers {PROCESS_JOB!r} is at {route.client.target}: {remedy}")
