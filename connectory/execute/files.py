"""What the objects are called by which a container and its engine know one another."""

from typing import Final

__all__ = ["ERROR_FILE", "FUTURES_FILE", "INPUTS_FILE", "OUTPUTS_FILE", "TASK_FILE"]

TASK_FILE: Final = "task.pb"
INPUTS_FILE: Final = "inputs.pb"
OUTPUTS_FILE: Final = "outputs.pb"
FUTURES_FILE: Final = "futures.pb"
ERROR_FILE: Final = "error.pb"
