"""The Job as Kubernetes is asked for it."""

from typing import Any, Final

from connectors.k8s_job.config import KubernetesJobConfig
from connectors.k8s_job.identity import JOB_LABEL, KEY, key_hash, name_of
from connectors.k8s_job.pod import BRING, DELIVER
from connectors.k8s_job.program import Program
from connectory.connector.contract import CreateContext

__all__ = ["job_manifest"]

_DISRUPTED: Final = {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def job_manifest(
    ctx: CreateContext[KubernetesJobConfig], program: Program, spec: dict[str, Any], *, carried: bool
) -> dict[str, Any]:
    """The Job of the context's key, with this pod.

    Nothing is run a second time by Kubernetes: whether a task is, its engine decides. Rules of the failure policy are
    there for what is written into the Job when they hold: why it failed, which outlives the pod.
    """
    decisive = [program.name, BRING, DELIVER] if carried else [program.name]
    name = name_of(ctx.idempotency_key)
    labels = {**program.labels, JOB_LABEL: name, "app.kubernetes.io/managed-by": "connectory"}
    task = {"connectory/task": ctx.template.id.name} if ctx.template.id.name else {}
    annotations = {**program.annotations, **task}
    job: dict[str, Any] = {
        "backoffLimit": 0,
        "completions": 1,
        "parallelism": 1,
        "podFailurePolicy": {"rules": [_DISRUPTED, *map(_fails_with, decisive)]},
        "ttlSecondsAfterFinished": ctx.config.ttl_seconds,
        "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec},
    }
    if ctx.config.active_deadline_seconds is not None:
        job["activeDeadlineSeconds"] = ctx.config.active_deadline_seconds
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {**annotations, KEY: key_hash(ctx.idempotency_key)},
        },
        "spec": job,
    }


def _fails_with(container: str) -> dict[str, Any]:
    return {"action": "FailJob", "onExitCodes": {"containerName": container, "operator": "NotIn", "values": [0]}}
