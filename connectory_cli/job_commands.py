"""Declare the commands that look after jobs."""

from typing import Annotated

import typer

from connectory_cli.asked_options import (
    AskedOption,
    TlsCaOption,
    TlsCertOption,
    TlsKeyOption,
    TlsNameOption,
    asked_servers,
)
from connectory_cli.options import JsonOption, group, module_of

__all__ = ["add_job_commands"]

jobs = group("Look at the jobs of running connector servers, end them, deal with abandoned ones.")


def add_job_commands(app: typer.Typer) -> None:
    """Put these commands below `connectory`."""
    app.add_typer(jobs, name="jobs")


KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Its idempotency key, as `jobs list` shows it.")]


@jobs.command("list")
def list_jobs(
    endpoints: AskedOption = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="creating, live, ended, ambiguous, deleting or deleted; repeatable."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Jobs that have ended or were deleted, too.")] = False,
    task_type: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="Only this task type, or TYPE@VERSION.")
    ] = "",
    execution: Annotated[str, typer.Option("--execution", help="Only executions that begin so.")] = "",
    orphans: Annotated[bool, typer.Option("--orphans", help="Only jobs that nobody looks after.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 1000,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
    as_json: JsonOption = False,
) -> None:
    """List the jobs that exist, or may exist, in the order of their keys."""
    work = module_of("jobs")
    wanted = work.JobFilter(
        states=state or [],
        every_state=everything,
        category=task_type,
        execution=execution,
        orphans=orphans,
        limit=limit,
    )
    raise typer.Exit(work.list_jobs(asked_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name), wanted, as_json))


@jobs.command("show")
def show_job(
    key: KeyArgument,
    endpoints: AskedOption = None,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show one job."""
    raise typer.Exit(
        module_of("jobs").show_job(asked_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name), key, as_json)
    )


@jobs.command("logs")
def show_logs(
    key: KeyArgument,
    endpoints: AskedOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
    tail: Annotated[
        int, typer.Option("--tail", metavar="N", min=0, help="Begin with the N newest lines; 0: with the first.")
    ] = 0,
    lines: Annotated[int, typer.Option("--lines", metavar="N", min=0, help="At most N lines; 0: all.")] = 0,
    token: Annotated[str, typer.Option("--token", help="Read on after what was read with this token's call.")] = "",
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what a job has written, as far as its connector tells; with --json an object for each line."""
    work = module_of("job_reading")
    chosen = work.LogChoice(lines=lines, tail=tail, token=token, follow=follow)
    servers = asked_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name)
    raise typer.Exit(work.print_logs(servers, key, chosen, as_json))


@jobs.command("metrics")
def show_metrics(
    key: KeyArgument,
    queries: Annotated[
        list[str] | None, typer.Argument(metavar="[METRIC]...", help="Only these, in the connector's words.")
    ] = None,
    endpoints: AskedOption = None,
    step: Annotated[
        float | None, typer.Option("--step", metavar="SECONDS", min=0.001, help="A point every so often.")
    ] = None,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what was measured of a job: the latest values, or with --json the series."""
    servers = asked_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name)
    raise typer.Exit(module_of("job_reading").print_metrics(servers, key, queries or [], step, as_json))


@jobs.command("delete")
def delete_jobs(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Idempotency keys, as `jobs list` shows them.")],
    endpoints: AskedOption = None,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
    as_json: JsonOption = False,
) -> None:
    """End jobs; returns when their connectors confirmed it."""
    raise typer.Exit(
        module_of("jobs").delete_jobs(asked_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name), keys, as_json)
    )


@jobs.command("reap")
def reap_jobs(
    endpoints: AskedOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
    as_json: JsonOption = False,
) -> None:
    """Deal now with jobs that nobody looks after, instead of waiting until the servers do."""
    raise typer.Exit(
        module_of("jobs").reap_jobs(asked_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name), dry_run, as_json)
    )


@jobs.command("settle")
def settle_job(
    key: KeyArgument,
    handle: Annotated[
        str | None, typer.Option("--handle", metavar="JSON", help="The job exists; its handle.", show_default=False)
    ] = None,
    nothing: Annotated[bool, typer.Option("--nothing", help="There is no job; the key may be used again.")] = False,
    endpoints: AskedOption = None,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
) -> None:
    """Say what became of an ambiguous create, after looking for its job in the external system."""
    if (handle is None) != nothing:
        raise typer.BadParameter("say either --handle JSON or --nothing")
    raise typer.Exit(
        module_of("jobs").settle_job(asked_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name), key, handle)
    )
