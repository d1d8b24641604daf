"""What a container leaves for its engine: the outputs, or what went wrong."""

import os
import uuid
from typing import Final

from connectory.authoring.errors import TaskFailedError
from connectory.execute.files import ERROR_FILE, FUTURES_FILE, OUTPUTS_FILE
from connectory.storage import Storage
from connectory.v1 import execution_pb2, interface_pb2, literals_pb2, workflow_pb2

__all__ = [
    "error_document",
    "write_error",
    "write_futures",
    "write_outputs",
]

_OFFLOAD_SETTING: Final = "_F_L_MIN_SIZE_MB"
"""How large an output may be, in MiB, before it gets a file of its own; set by engines that can read those."""
_WORKERS_SETTINGS: Final = ("FLYTE_INTERNAL_DIST_ERROR_STRATEGY", "_F_DES")
_WORKER_NAMES: Final = ("FLYTE_INTERNAL_WORKER_NAME", "_F_WN")
_ORIGINS: Final = {"user": execution_pb2.ExecutionError.USER, "system": execution_pb2.ExecutionError.SYSTEM}


def write_outputs(
    outputs: literals_pb2.LiteralMap, declared: interface_pb2.VariableMap, prefix: str, storage: Storage
) -> None:
    """Write the outputs; those that are larger than the engine wants to have them inline go beside them."""
    limit = os.environ.get(_OFFLOAD_SETTING, "")
    kept = literals_pb2.LiteralMap()
    for name, literal in outputs.literals.items():
        size = literal.ByteSize()
        if not limit.isdigit() or size < int(limit) << 20:
            kept.literals[name].CopyFrom(literal)
            continue
        url = storage.join(prefix, f"{name}_offloaded_metadata.pb")
        storage.write(url, literal.SerializeToString())
        kept.literals[name].hash = literal.hash
        kept.literals[name].offloaded_metadata.CopyFrom(
            literals_pb2.LiteralOffloadedMetadata(uri=url, size_bytes=size, inferred_type=declared.variables[name].type)
        )
    storage.write(storage.join(prefix, OUTPUTS_FILE), kept.SerializeToString(deterministic=True))


def write_futures(spec: workflow_pb2.DynamicJobSpec, prefix: str, storage: Storage) -> None:
    """Write the nodes that are to be run in place of a dynamic task."""
    storage.write(storage.join(prefix, FUTURES_FILE), spec.SerializeToString(deterministic=True))


def write_error(error: TaskFailedError, prefix: str, storage: Storage) -> None:
    """Write what went wrong.

    Where an engine says that several workers of one task run at once, each has a file of its own beside the others'.
    """
    shared = any(os.environ.get(name) for name in _WORKERS_SETTINGS)
    name = f"error-{uuid.uuid4().hex}.pb" if shared else ERROR_FILE
    storage.write(storage.join(prefix, name), error_document(error).SerializeToString())


def error_document(error: TaskFailedError) -> execution_pb2.ErrorDocument:
    """What went wrong, whose fault it is, and whether another attempt may help."""
    kinds = execution_pb2.ContainerError
    document = execution_pb2.ErrorDocument(
        error=execution_pb2.ContainerError(
            code=error.code,
            message=f"{error.message}\n{error.traceback}".rstrip(),
            kind=kinds.RECOVERABLE if error.may_be_retried else kinds.NON_RECOVERABLE,
            origin=_ORIGINS[error.kind],
            worker=next(filter(None, map(os.environ.get, _WORKER_NAMES)), ""),
        )
    )
    document.error.timestamp.GetCurrentTime()
    return document
