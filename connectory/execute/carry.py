"""`python -m connectory.execute.carry`: brings a raw container's inputs into a folder, or delivers its outputs from it.

It is for platforms where whoever starts a container cannot reach its folders: the program runs beside the container,
on a volume that both have.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from connectory.authoring.errors import TaskFailedError
from connectory.errors import InvalidTaskError, StorageError, TypeConversionError, UserError
from connectory.execute.documents import write_error, write_outputs
from connectory.execute.files import INPUTS_FILE, TASK_FILE
from connectory.execute.folders import Folders
from connectory.storage import Storage, default_storage
from connectory.storage.errors import ObjectNotFoundError
from connectory.v1 import literals_pb2, tasks_pb2

__all__ = ["carry", "main"]

_RAW: Final = "raw"
_PATIENCE: Final = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class _Errand:
    """One job's data: at `prefix` are `task.pb` and `inputs.pb`, and there `outputs.pb` or `error.pb` are left."""

    prefix: str
    folders: Folders
    template: tasks_pb2.TaskTemplate
    storage: Storage

    def bring(self) -> None:
        inputs = literals_pb2.LiteralMap.FromString(self.storage.read(self.storage.join(self.prefix, INPUTS_FILE)))
        self.folders.make()
        self.folders.put_inputs(inputs, self.folders.values(inputs, self.template.interface.inputs))

    def deliver(self) -> None:
        declared = self.template.interface.outputs
        write_outputs(self.folders.take_outputs(declared), declared, self.prefix, self.storage)


def carry(
    errand: str, prefix: str, folder: Path, storage: Storage | None = None, *, patience: float = _PATIENCE
) -> TaskFailedError | None:
    """Do the errand, `bring` or `deliver`. What is wrong with the data is left as `error.pb`, and is also the answer.

    The folder has the folders `inputs` and `outputs`. An object store that fails is asked again for `patience` seconds;
    StorageError after that.
    """
    store = storage or default_storage()
    template = tasks_pb2.TaskTemplate.FromString(
        _persistently(lambda: store.read(store.join(prefix, TASK_FILE)), patience)
    )
    folders = Folders(
        folder,
        store,
        raw_output_prefix=store.join(prefix, _RAW),
        config=template.container.data_config,
        shared=True,
    )
    ordered = _Errand(prefix=prefix, folders=folders, template=template, storage=store)
    try:
        _persistently(ordered.bring if errand == "bring" else ordered.deliver, patience)
    except (UserError, InvalidTaskError, TypeConversionError, ObjectNotFoundError, FileNotFoundError) as error:
        failed = TaskFailedError(str(error), kind="user", code=_code(error))
        _persistently(lambda: write_error(failed, prefix, store), patience)
        return failed
    return None


def main(words: Sequence[str] | None = None) -> int:
    """Carry once. The code is 0 when the data is where it belongs, and 1 when it is not."""
    parser = argparse.ArgumentParser(
        prog="python -m connectory.execute.carry",
        description="Bring the inputs of a raw container into a folder, or deliver its outputs from it.",
        allow_abbrev=False,
    )
    parser.add_argument("errand", choices=("bring", "deliver"))
    parser.add_argument("--prefix", required=True, help="where task.pb and inputs.pb are, and outputs.pb will be")
    parser.add_argument("--folder", required=True, type=Path, help="the folder with the folders inputs and outputs")
    given = parser.parse_args(words)
    try:
        failed = carry(given.errand, given.prefix, given.folder)
    except (StorageError, OSError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    if failed is None:
        return 0
    sys.stderr.write(f"{failed.code}: {failed.message}\n")
    return 1


def _persistently(act: Callable[[], T], patience: float) -> T:
    """Do it again, less and less often, while the object store fails."""
    until, pause = time.monotonic() + patience, _FIRST_PAUSE
    while True:
        try:
            return act()
        except ObjectNotFoundError:
            raise
        except StorageError:
            if time.monotonic() + pause > until:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _code(error: Exception) -> str:
    if isinstance(error, UserError | InvalidTaskError):
        return error.reason
    return "OUTPUT_NOT_READ" if isinstance(error, TypeConversionError) else "DATA_MISSING"


if __name__ == "__main__":
    sys.exit(main())
