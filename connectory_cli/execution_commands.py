"""Declare the commands that look at executions and do something with them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connectory_cli.options import (
    DomainOption,
    EndpointOption,
    JsonOption,
    ProjectOption,
    StoreOption,
    TargetOption,
    findable,
    group,
    module_of,
)
from connectory_cli.store_only import NoTargetOption, require_store

__all__ = ["add_execution_commands"]

NameOption = Annotated[
    str | None, typer.Option("--name", help="The new execution's name.  [default: made up]", show_default=False)
]
ModuleOption = Annotated[
    list[str] | None,
    typer.Option("--module", metavar="PKG.MOD", help="More connectors for the server started inside; repeatable."),
]

executions = group("Look at workflow executions, abort them, resume them.")


def add_execution_commands(app: typer.Typer) -> None:
    """Put these commands below `connectory`."""
    app.add_typer(executions, name="executions")
    app.command("signal")(give_signal)
    app.command("approve")(approve)


@executions.command("list")
def list_executions(
    store: StoreOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, newest first.")] = 20,
    endpoint: TargetOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
    filters: Annotated[
        str, typer.Option("--filter", metavar="CONDITIONS", help="With --endpoint: such as eq(phase,FAILED).")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """List executions, newest first."""
    if endpoint is not None:
        place = _place(endpoint, project, domain)
        raise typer.Exit(module_of("remote").list_executions(place, limit, filters, as_json))
    if filters:
        raise typer.BadParameter("--filter is for executions of a runner that serves; give --endpoint, too")
    raise typer.Exit(module_of("executions").list_executions(store, limit, as_json))


@executions.command("show")
def show_execution(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    store: StoreOption = None,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="What happened when: waits, attempts, retries, ends.")
    ] = False,
    endpoint: TargetOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
    as_json: JsonOption = False,
) -> None:
    """Show one execution: its nodes, their attempts, errors, log links and outputs."""
    if endpoint is not None:
        place = _place(endpoint, project, domain)
        shown = module_of("remote")
        show = shown.show_timeline if timeline else shown.show_execution
        raise typer.Exit(show(place, execution, as_json))
    if timeline:
        raise typer.Exit(module_of("timeline").show_timeline(store, execution, as_json))
    raise typer.Exit(module_of("executions").show_execution(store, execution, as_json))


@executions.command("logs")
def show_logs(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    node: Annotated[str, typer.Argument(metavar="NODE", help="Its id, as `executions show` lists it.")],
    attempt: Annotated[
        int | None, typer.Option("--attempt", min=1, help="Of this attempt, from 1.  [default: the last one]")
    ] = None,
    lines: Annotated[int, typer.Option("--lines", min=0, help="At most so many; 0: all.")] = 0,
    tail: Annotated[
        int, typer.Option("--tail", metavar="N", min=0, help="Begin with the N newest lines; 0: with the first.")
    ] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
    endpoints: EndpointOption = None,
    module: ModuleOption = None,
    store: StoreOption = None,
    endpoint: TargetOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
    as_json: JsonOption = False,
) -> None:
    """Show what a node's job has written, as far as its connector tells, and where to read on."""
    work, modules = module_of("job_logs"), findable(module) or []
    wanted = work.LogsWanted(
        execution=execution,
        node=node,
        attempt=attempt - 1 if attempt is not None else None,
        lines=lines,
        tail=tail,
        follow=follow,
    )
    if endpoint is not None:
        place = _place(endpoint, project, domain)
        raise typer.Exit(module_of("remote_logs").show_logs(place, wanted, as_json))
    raise typer.Exit(work.show_logs(store, wanted, endpoints or [], modules, as_json))


@executions.command("abort")
def abort_execution(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    cause: Annotated[str, typer.Option("--cause", help="Why, for those who read it later.")] = "aborted by a person",
    endpoints: EndpointOption = None,
    module: ModuleOption = None,
    store: StoreOption = None,
    endpoint: TargetOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
    as_json: JsonOption = False,
) -> None:
    """Abort an execution, and wait until its external jobs are gone."""
    if endpoint is not None:
        place = _place(endpoint, project, domain)
        raise typer.Exit(module_of("remote").abort_execution(place, execution, cause, as_json))
    work, modules = module_of("executions"), findable(module) or []
    raise typer.Exit(work.abort_execution(store, execution, cause, endpoints or [], modules, as_json))


@executions.command("resume")
def resume_execution(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    endpoints: EndpointOption = None,
    module: ModuleOption = None,
    store: StoreOption = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Even from a runner that is believed to live: that one lets go of it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Go on with an execution whose runner died."""
    work, modules = module_of("running"), findable(module) or []
    raise typer.Exit(work.resume(store, execution, endpoints or [], modules, as_json, take_over=take_over))


@executions.command("prune")
def prune_executions(
    context: typer.Context,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="What ended so long ago: 30d, 12h, 45m or 90s.")
    ],
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", min=0, help="But keep the N executions that ended last.")
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be forgotten.")] = False,
    store: StoreOption = None,
    endpoint: NoTargetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget executions that ended long ago, old cached results and unused code. Outputs stay where they are.

    This works on the store itself, not through a runner that serves: one that is started with --prune-older-than
    does it every hour.
    """
    instead = "A runner that is started with --prune-older-than forgets them every hour."
    require_store(context, endpoint, what="executions are forgotten", instead=instead)
    raise typer.Exit(module_of("pruning").prune_executions(store, older_than, keep, dry_run, as_json))


@executions.command("recover")
def recover_execution(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    code: Annotated[
        Path | None,
        typer.Option(
            "--with-new-code", metavar="FILE.py", help="The workflow as this file has it now; shows what changed."
        ),
    ] = None,
    rerun: Annotated[
        list[str] | None,
        typer.Option("--rerun", metavar="NODE", help="Run this node again, and what depends on it; repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would become of each node.")] = False,
    name: NameOption = None,
    endpoints: EndpointOption = None,
    module: ModuleOption = None,
    store: StoreOption = None,
    endpoint: TargetOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
    as_json: JsonOption = False,
) -> None:
    """Do what an execution left undone, in a new one: what succeeded is taken over, and jobs that still run go on."""
    work = module_of("recovering")
    options = work.RecoverOptions(
        execution=execution,
        store=store,
        endpoints=endpoints or [],
        modules=findable(module) or [],
        name=name,
        code=code,
        rerun=rerun or [],
        dry_run=dry_run,
        as_json=as_json,
    )
    if endpoint is not None:
        place = _place(endpoint, project, domain)
        raise typer.Exit(module_of("remote_recovering").recover_execution(place, options))
    raise typer.Exit(work.recover_execution(options))


@executions.command("relaunch")
def relaunch_execution(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    name: NameOption = None,
    overwrite_cache: Annotated[
        bool, typer.Option("--overwrite-cache", help="Run cached tasks anew, and keep their new results.")
    ] = False,
    endpoints: EndpointOption = None,
    module: ModuleOption = None,
    store: StoreOption = None,
    endpoint: TargetOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
    as_json: JsonOption = False,
) -> None:
    """Run an execution once more from its beginning, in a new one with the same inputs."""
    if endpoint is not None:
        place = _place(endpoint, project, domain)
        begin = module_of("remote").relaunch_execution
        raise typer.Exit(begin(place, execution, name, as_json, overwrite_cache=overwrite_cache))
    work, modules = module_of("recovering"), findable(module) or []
    begin = work.relaunch_execution
    raise typer.Exit(begin(store, execution, name, endpoints or [], modules, as_json, overwrite_cache=overwrite_cache))


@executions.command("signals")
def list_signals(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    store: StoreOption = None,
    endpoint: TargetOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
    as_json: JsonOption = False,
) -> None:
    """List what an execution waits for people to say: approvals and values."""
    if endpoint is not None:
        place = _place(endpoint, project, domain)
        raise typer.Exit(module_of("remote").list_signals(place, execution, as_json))
    raise typer.Exit(module_of("signals").list_signals(store, execution, as_json))


@executions.command("signal")
def give_signal(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="Its name, as `signals` lists it.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Text, or JSON for anything else.")],
    store: StoreOption = None,
    endpoint: TargetOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
) -> None:
    """Answer a gate that waits for a value. The process that runs the execution takes it within a second."""
    if endpoint is not None:
        place = _place(endpoint, project, domain)
        raise typer.Exit(module_of("remote").give_signal(place, execution, signal, value))
    raise typer.Exit(module_of("signals").give_signal(store, execution, signal, value))


@executions.command("approve")
def approve(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="The approval's name, as `signals` lists it.")],
    reject: Annotated[bool, typer.Option("--reject", help="Say no.")] = False,
    store: StoreOption = None,
    endpoint: TargetOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
) -> None:
    """Approve, or reject, what an execution waits for."""
    if endpoint is not None:
        place = _place(endpoint, project, domain)
        raise typer.Exit(module_of("remote").approve(place, execution, signal, not reject))
    raise typer.Exit(module_of("signals").approve(store, execution, signal, not reject))


def _place(endpoint: str, project: str, domain: str) -> Any:
    """Where executions of a runner that serves are."""
    return module_of("remote").Place(endpoint=endpoint, project=project, domain=domain)
