"""An execution on a terminal: a table that is redrawn as it goes on."""

from rich.console import Console
from rich.live import Live
from rich.table import Table

from connectory_cli.progress import elapsed, said
from workflow_runner.engine.state import NodePhase
from workflow_runner.views import ExecutionUpdate, NodeView

__all__ = ["Screen"]

_STYLES = {
    NodePhase.SUCCEEDED: "green",
    NodePhase.RUNNING: "cyan",
    NodePhase.LOOKING: "cyan",
    NodePhase.RETRYING: "yellow",
    NodePhase.STOPPING: "yellow",
    NodePhase.FAILED: "red",
    NodePhase.TIMED_OUT: "red",
    NodePhase.ABORTED: "magenta",
}


class Screen:
    """A table with a row for each node that has begun. Use it as a context manager."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeView] = {}
        self._title = ""
        self._live = Live(get_renderable=self._table, console=Console(stderr=True), refresh_per_second=8)

    def __enter__(self) -> "Screen":
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def node(self, node: NodeView) -> None:
        """Show where a node stands."""
        self._nodes[node.id] = node

    def execution(self, update: ExecutionUpdate) -> None:
        """Show where the execution stands."""
        self._title = f"{update.execution_id}: {update.phase}"

    def _table(self) -> Table:
        table = Table(title=self._title, title_justify="left", box=None, padding=(0, 2, 0, 0))
        for title in ("node", "name", "phase", "elapsed"):
            table.add_column(title, no_wrap=True)
        table.add_column("message", overflow="ellipsis", no_wrap=True)
        for node in self._nodes.values():
            attempt = f" #{node.attempt + 1}" if node.attempt else ""
            phase = f"[{_STYLES.get(node.phase, 'dim')}]{node.phase}{attempt}[/]"
            table.add_row(node.id, node.name, phase, elapsed(node), said(node))
        return table
