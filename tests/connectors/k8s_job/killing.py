"""The connector of a server that dies, once, right after the cluster has created the Job, before anybody knows it."""

import os
import signal
from pathlib import Path
from typing import Any

from connectors.k8s_job import KubernetesJob, KubernetesJobConfig, KubernetesJobConnector
from connectory.connector.contract import CreateContext

MARK = "KILLED_ONCE"
"""The variable with the path of a file that tells whether it has been done."""


class KillingConnector(KubernetesJobConnector):
    """Kills its own process."""

    name = "Killing"
    task_type = "killing_k8s_job"

    async def create(self, ctx: CreateContext[KubernetesJobConfig]) -> KubernetesJob:
        job: Any = await super().create(ctx)
        _die_once(Path(os.environ[MARK]))
        return job


def _die_once(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


connectors = [KillingConnector]
