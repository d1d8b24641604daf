"""What a Job is given in the object store, and what it leaves there."""

from connectors.k8s_job.config import KubernetesJob, KubernetesJobConfig
from connectors.k8s_job.program import Program
from connectory.connector.contract import CreateContext, JobContext
from connectory.errors import InvalidTaskError
from connectory.execute.files import ERROR_FILE, INPUTS_FILE, OUTPUTS_FILE, TASK_FILE
from connectory.storage import Storage, is_local
from connectory.v1 import execution_pb2, literals_pb2

__all__ = ["error_of", "is_carried", "outputs_of", "place_of", "put_inputs"]


def is_carried(program: Program) -> bool:
    """Whether inputs or outputs are files of the container."""
    return program.data.enabled and bool(program.data.input_path or program.data.output_path)


def place_of(ctx: CreateContext[KubernetesJobConfig], name: str, *, carried: bool) -> str:
    """Below which the Job's outputs are left; empty: it leaves none.

    What is carried has a place of the Job's own. InvalidTaskError when no pod could reach it.
    """
    if not carried:
        return ctx.output_prefix if ctx.template.interface.outputs.variables else ""
    if not ctx.output_prefix or is_local(ctx.output_prefix):
        where = repr(ctx.output_prefix) if ctx.output_prefix else "none"
        raise InvalidTaskError(
            "the container reads or writes files, which pass through an object store, and the output prefix is "
            f"{where}: give one that pods can reach, such as s3://bucket/path",
            reason="OUTPUT_PREFIX_OUT_OF_REACH",
        )
    return Storage.join(ctx.output_prefix, name)


def put_inputs(ctx: CreateContext[KubernetesJobConfig], program: Program, place: str) -> None:
    """Write the task and its inputs for whoever brings them. Blocks."""
    template = type(ctx.template)()
    template.CopyFrom(ctx.template)
    template.container.data_config.CopyFrom(program.data)
    ctx.storage.write(Storage.join(place, TASK_FILE), template.SerializeToString(deterministic=True))
    ctx.storage.write(Storage.join(place, INPUTS_FILE), ctx.literals.SerializeToString(deterministic=True))


def outputs_of(job: KubernetesJob, ctx: JobContext) -> literals_pb2.LiteralMap | None:
    """The outputs that the Job left. Blocks."""
    written = _read(job, OUTPUTS_FILE, ctx.storage)
    return None if written is None else literals_pb2.LiteralMap.FromString(written)


def error_of(job: KubernetesJob, ctx: JobContext) -> execution_pb2.ContainerError | None:
    """The error that it left. Blocks."""
    written = _read(job, ERROR_FILE, ctx.storage)
    return None if written is None else execution_pb2.ErrorDocument.FromString(written).error


def _read(job: KubernetesJob, name: str, storage: Storage) -> bytes | None:
    if not job.data:
        return None
    url = Storage.join(job.data, name)
    return storage.read(url) if storage.exists(url) else None
