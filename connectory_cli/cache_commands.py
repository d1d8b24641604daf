"""Declare the commands that look at results which are kept."""

from typing import Annotated

import typer

from connectory_cli.options import JsonOption, StoreOption, group, module_of
from connectory_cli.store_only import NoTargetOption, require_store

__all__ = ["add_cache_commands"]

_SHOWN = "Where a node's result comes from is in executions show --endpoint, too."
_ANEW = "With --overwrite-cache, launch and executions relaunch work results out anew, and replace what is kept."

cache = group("Look at results that are kept, and why they are reused or not. All of this is on the store itself.")

TaskOption = Annotated[
    str,
    typer.Option("--task", metavar="NAME", help="Only of this task: its name, or PROJECT:DOMAIN:NAME.  [default: all]"),
]


def add_cache_commands(app: typer.Typer) -> None:
    """Put these commands below `connectory`."""
    app.add_typer(cache, name="cache")


@cache.command("explain")
def explain_node(
    context: typer.Context,
    execution: Annotated[str, typer.Argument(metavar="ID")],
    node: Annotated[str, typer.Argument(metavar="NODE", help="Its id, as `executions show` lists it.")],
    store: StoreOption = None,
    endpoint: NoTargetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a node's result was taken from the cache or not, and how it differs from the results that are kept.

    This works on the store itself, not through a runner that serves.
    """
    require_store(context, endpoint, what="results are explained", instead=_SHOWN)
    raise typer.Exit(module_of("caching").explain_node(store, execution, node, as_json))


@cache.command("list")
def list_cache(
    context: typer.Context,
    task: TaskOption = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, newest first.")] = 20,
    store: StoreOption = None,
    endpoint: NoTargetOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the results that are kept.

    This works on the store itself, not through a runner that serves.
    """
    require_store(context, endpoint, what="results that are kept are listed", instead=_SHOWN)
    raise typer.Exit(module_of("caching").list_cache(store, task, limit, as_json))


@cache.command("clear")
def clear_cache(
    context: typer.Context,
    task: TaskOption = "",
    everything: Annotated[bool, typer.Option("--all", help="Of all tasks.")] = False,
    store: StoreOption = None,
    endpoint: NoTargetOption = None,
) -> None:
    """Forget results, so that tasks are run again that need them.

    This works on the store itself, not through a runner that serves: there, --overwrite-cache of launch and of
    executions relaunch works results out anew.
    """
    require_store(context, endpoint, what="results are forgotten", instead=_ANEW)
    if bool(task) == everything:
        raise typer.BadParameter("say either --task NAME or --all")
    raise typer.Exit(module_of("caching").clear_cache(store, task))
