"""`connectory plugins`: what carries out tasks in the runner."""

from typing import Any

from connectory_cli.printing import print_json, print_table
from workflow_runner.plugins.contract import PluginEntry
from workflow_runner.plugins.discovery import available_plugins
from workflow_runner.plugins.shipped import shipped_plugins

__all__ = ["list_plugins"]


def list_plugins(as_json: bool) -> int:
    """Print every plugin, and the broken ones with the reason; exit code 1 when there are broken ones."""
    available = available_plugins(shipped_plugins(()))
    found: list[dict[str, Any]] = [
        {
            "id": plugin.entry.id,
            "task_types": list(plugin.entry.registered_task_types),
            "also": _also(plugin.entry),
            "source": plugin.source,
        }
        for plugin in available.plugins
    ]
    broken = [{"name": one.name, "source": one.source, "reason": one.reason} for one in available.broken]
    if as_json:
        print_json({"plugins": found, "broken": broken})
    else:
        rows = [[fact["id"], ", ".join(fact["task_types"]) or "-", fact["also"], fact["source"]] for fact in found]
        rows += [[one["name"], "-", f"broken: {one['reason']}", one["source"]] for one in broken]
        print_table(["plugin", "task types", "", "from"], rows)
    return 1 if broken else 0


def _also(entry: PluginEntry) -> str:
    if entry.is_default:
        return "whatever nobody else takes"
    if entry.claims is not None:
        return "and tasks that it recognizes"
    return "unless a connector offers them" if entry.gives_way else ""
