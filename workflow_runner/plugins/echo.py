"""The plugin that hands a task's inputs back as its outputs, without leaving the runner."""

from connectory.v1 import interface_pb2, literals_pb2
from workflow_runner.plugins.contract import Plugin, PluginEntry, TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition

__all__ = ["EchoPlugin", "MissingOutputError", "echo_plugin", "echoed"]


class MissingOutputError(Exception):
    """A declared output has no input to be taken from."""


class EchoPlugin(Plugin):
    """Succeeds in its first round. Each declared output is the input of the same name."""

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        """Succeed, or fail for good when an output has no input."""
        try:
            return do_transition(PhaseInfo.success(echoed(ctx)))
        except MissingOutputError as error:
            return do_transition(PhaseInfo.permanent_failure("INVALID_TASK", str(error)))


def echoed(ctx: TaskExecutionContext) -> literals_pb2.LiteralMap:
    """The declared outputs, taken from the inputs of the same names; one output of one input may be named otherwise.

    MissingOutputError when an output has none.
    """
    interface = ctx.template.interface
    renamed = _only(interface.inputs) if len(interface.outputs.variables) == 1 else ""
    outputs = literals_pb2.LiteralMap()
    for name in interface.outputs.variables:
        source = name if name in ctx.inputs.literals else renamed
        if source not in ctx.inputs.literals:
            known = ", ".join(sorted(ctx.inputs.literals)) or "none"
            raise MissingOutputError(f"output {name!r} has no input of the same name; the inputs are: {known}")
        outputs.literals[name].CopyFrom(ctx.inputs.literals[source])
    return outputs


def _only(inputs: interface_pb2.VariableMap) -> str:
    return next(iter(inputs.variables)) if len(inputs.variables) == 1 else ""


def echo_plugin() -> PluginEntry:
    """The entry of the plugin. A connector service that offers `echo` counts before it."""
    return PluginEntry(
        id="echo", registered_task_types=("echo",), load_plugin=lambda setup: EchoPlugin(), gives_way=True
    )
