"""What a Job that has ended is reported as, with what it left in the object store."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.k8s_job.config import KubernetesJob
from connectors.k8s_job.data import error_of, outputs_of
from connectors.k8s_job.endings import failed, failure
from connectory.connector.contract import JobContext, Phase, Resource
from connectory.v1 import execution_pb2

__all__ = ["broken", "left", "succeeded"]

_CARRYING: Final = frozenset({"InputsNotBrought", "OutputsNotDelivered"})


def succeeded(job: KubernetesJob, ctx: JobContext, info: Mapping[str, Any]) -> Resource:
    """The report of a Job whose containers all ended well. Blocks."""
    if not job.data:
        return Resource(phase=Phase.SUCCEEDED, message="exit code 0", custom_info=info)
    return left(job, ctx, info) or failed(
        "Outputs", f"the container ended well and left no outputs; it must write {job.data}/outputs.pb", info
    )


def left(job: KubernetesJob, ctx: JobContext, info: Mapping[str, Any]) -> Resource | None:
    """What the object store says about the Job's end; None: nothing. Blocks."""
    error = error_of(job, ctx)
    if error is not None:
        return _said(job, error, info)
    outputs = outputs_of(job, ctx)
    if outputs is None:
        return None
    return Resource(phase=Phase.SUCCEEDED, message="exit code 0", outputs=outputs, custom_info=info)


def broken(
    job: KubernetesJob, made: Mapping[str, Any], pod: Mapping[str, Any] | None, ctx: JobContext, info: Mapping[str, Any]
) -> Resource:
    """The report of a Job that failed. What is wrong with the data itself, who carries it says. Blocks."""
    reported = failure(job, made, pod, info)
    code = reported.error.code if reported.error is not None else ""
    error = error_of(job, ctx) if code in _CARRYING else None
    return reported if error is None else _said(job, error, info)


def _said(job: KubernetesJob, error: execution_pb2.ContainerError, info: Mapping[str, Any]) -> Resource:
    """An error as its container wrote it. What who carries data finds wrong with it, stays wrong."""
    retry = error.kind == execution_pb2.ContainerError.RECOVERABLE and not job.carried
    kind = "system" if error.origin == execution_pb2.ExecutionError.SYSTEM else "user"
    return failed(error.code or "ContainerError", error.message, info, kind=kind, retry=retry)
