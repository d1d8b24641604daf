"""What a plugin knows of an attempt, and what it may use for it."""

from collections.abc import Callable
from functools import cached_property

import msgspec

from connectory.secrets import Secrets
from connectory.storage import Storage
from connectory.v1 import connector_pb2, literals_pb2, tasks_pb2
from workflow_runner.plugins.io import InputReader, OutputWriter, TaskReader
from workflow_runner.plugins.memory import AttemptMemory, PluginStateReader, PluginStateWriter
from workflow_runner.plugins.metadata import ExecutionMetadata
from workflow_runner.plugins.node_calls import NoCalls, NodeCalls
from workflow_runner.plugins.resources import ResourceManager
from workflow_runner.plugins.services import AskedServices, ServicesInMemory
from workflow_runner.plugins.setup import SetupContext

__all__ = ["TaskExecutionContext"]


class TaskExecutionContext(msgspec.Struct, frozen=True, kw_only=True, dict=True, eq=False):
    """One attempt of one task."""

    execution: str
    node: str
    attempt: int
    key: str
    """The same for every round of this attempt and for no other attempt, ever."""
    template: tasks_pb2.TaskTemplate
    inputs: literals_pb2.LiteralMap
    describe: Callable[[], connector_pb2.TaskExecutionMetadata]
    """Makes `metadata`."""
    output_prefix: str
    """Where the attempt may put what it writes, as an object store URL; empty: nowhere."""
    resumed: bool
    """Whether an earlier run of the runner may already have called the plugin for this attempt."""
    state: AttemptMemory
    """What is remembered from round to round."""
    wake: Callable[[], None]
    """Call it, from the event loop, to have the next round begin at once."""
    resource_manager: ResourceManager
    """Tokens of the quotas that plugins registered."""
    setup: SetupContext
    """What the runner lends to its plugins."""
    project: str = ""
    domain: str = ""
    nodes: NodeCalls = msgspec.field(default_factory=NoCalls)
    """Runs nodes for it while it goes on, if its task is eager."""
    services: AskedServices = msgspec.field(default_factory=ServicesInMemory)
    """Which connector services the attempts of this execution have asked for jobs."""
    name_limit: int | None = None
    """The plugin's property `generated_name_max_length`."""

    @cached_property
    def metadata(self) -> connector_pb2.TaskExecutionMetadata:
        """Who this is, in the words of the wire; with the overrides that the node brings."""
        return self.describe()

    @cached_property
    def task_reader(self) -> TaskReader:
        """Reads the task."""
        return TaskReader(self.template, self.output_prefix, self.data_store)

    @cached_property
    def input_reader(self) -> InputReader:
        """Reads the inputs."""
        return InputReader(self.inputs, self.output_prefix, self.data_store)

    @cached_property
    def output_writer(self) -> OutputWriter:
        """Takes the outputs."""
        return OutputWriter(self.state, self.output_prefix, self.data_store)

    @cached_property
    def execution_metadata(self) -> ExecutionMetadata:
        """The attempt's unique id and name, overrides, labels and annotations."""
        return ExecutionMetadata(self.key, self.metadata, self.name_limit)

    @property
    def data_store(self) -> Storage:
        """Objects by URL. Its calls block: make them on a thread."""
        return self.setup.data_store

    @property
    def secret_manager(self) -> Secrets:
        """Secrets by key."""
        return self.setup.secret_manager

    @property
    def plugin_state_reader(self) -> PluginStateReader:
        """Reads what an earlier round remembered."""
        return PluginStateReader(self.state)

    @property
    def plugin_state_writer(self) -> PluginStateWriter:
        """Remembers for the next rounds."""
        return PluginStateWriter(self.state)
