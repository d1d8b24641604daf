"""Declare the commands and their options; everything heavy is imported when a command runs.

Each command names the module of this package that does the work. `connectory --help` therefore loads neither grpc nor
a database.
"""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import typer

from connectory.errors import ConnectoryError
from connectory_cli.control_commands import add_control_commands

app = typer.Typer(
    name="connectory",
    help="Connect workflow engines to the systems that do the work: serve connectors, run workflows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
executions = typer.Typer(
    help="Look at workflow executions, abort them, resume them.", no_args_is_help=True, rich_markup_mode=None
)
connectors = typer.Typer(
    help="List what a connector server, or this installation, can do.", no_args_is_help=True, rich_markup_mode=None
)
jobs = typer.Typer(
    help="Look at the jobs of running connector servers, end them, deal with abandoned ones.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(executions, name="executions")
app.add_typer(connectors, name="connectors")
app.add_typer(jobs, name="jobs")
add_control_commands(app)

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="CONNECTORY_STORE",
        help="Where executions are kept: sqlite:///PATH or memory://.  [default: a file in the user's state folder]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
EndpointOption = Annotated[
    list[str] | None,
    typer.Option(
        "--connectors",
        metavar="ENDPOINT",
        help="A running connector server: HOST:PORT or unix:/PATH; repeatable. Without it one is started inside.",
        show_default=False,
    ),
]


def _work(module: str) -> ModuleType:
    """Load the module of this package that does a command's work."""
    return importlib.import_module(f"connectory_cli.{module}")


def _findable(modules: list[str] | None) -> list[str] | None:
    """The modules, which may also be files of the current folder, however this program was started."""
    folder = str(Path.cwd())
    if modules and folder not in sys.path:
        sys.path.append(folder)
    return modules


@app.command()
def serve(
    address: Annotated[
        list[str] | None,
        typer.Option(
            "--address",
            metavar="HOST:PORT",
            help="Listen here; repeatable.  [127.0.0.1:8000]",
            show_default=False,
        ),
    ] = None,
    uds: Annotated[
        list[Path] | None,
        typer.Option("--uds", metavar="PATH", help="Listen on this unix socket; repeatable.", show_default=False),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Worker processes that share the port.  [1]")
    ] = None,
    module: Annotated[
        list[str] | None,
        typer.Option(
            "--module",
            metavar="PKG.MOD",
            help="A Python module with connectors, installed or in this folder; repeatable.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings as YAML. Order: options, environment, file, defaults."),
    ] = None,
    metrics_address: Annotated[
        str | None,
        typer.Option("--metrics-address", metavar="HOST:PORT", help="Serve Prometheus metrics here.  [off]"),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Server certificate, PEM.  [no TLS]")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="The certificate's private key, PEM.")
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option("--tls-client-ca", metavar="FILE", help="Require client certificates signed by this CA (mTLS)."),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(
            "--grace", metavar="SECONDS", min=0, help="How long calls in flight may finish after SIGTERM.  [30]"
        ),
    ] = None,
    log_format: Annotated[
        Literal["json", "console"] | None,
        typer.Option("--log-format", help="Log lines as JSON or for people.  [console on a terminal]"),
    ] = None,
    log_level: Annotated[str | None, typer.Option("--log-level", help="Least severe level.  [INFO]")] = None,
    max_message_bytes: Annotated[
        int | None,
        typer.Option("--max-message-bytes", min=1024, help="Largest message in or out, in bytes.  [33554432]"),
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option(
            "--ledger",
            metavar="memory|none|PATH|URL",
            help="What remembers creates: this process, nobody, an SQLite file, or postgresql://...  [memory]",
        ),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option("--tokens", metavar="FILE", help="Callers, their bearer tokens and scopes, as YAML.  [no tokens]"),
    ] = None,
    jwt_jwks: Annotated[
        str | None,
        typer.Option("--jwt-jwks", metavar="URL|FILE", help="Public keys (JWKS) of signed bearer tokens."),
    ] = None,
    jwt_issuer: Annotated[
        str | None, typer.Option("--jwt-issuer", metavar="TEXT", help="Who signed tokens must come from.")
    ] = None,
    jwt_audience: Annotated[
        str | None, typer.Option("--jwt-audience", metavar="TEXT", help="Whom signed tokens must be meant for.")
    ] = None,
    jwt_leeway: Annotated[
        float | None,
        typer.Option("--jwt-leeway", metavar="SECONDS", min=0, help="How far clocks may differ.  [30]"),
    ] = None,
    handle_keys: Annotated[
        Path | None, typer.Option("--handle-keys", metavar="FILE", help="Keys that sign handles.  [unsigned]")
    ] = None,
    audit_log: Annotated[
        str | None,
        typer.Option("--audit-log", metavar="FILE", help="Who did what, a line of JSON each; - is stderr.  [off]"),
    ] = None,
    insecure_public: Annotated[
        bool | None,
        typer.Option("--insecure-public", help="Allow a public address without tokens or client certificates."),
    ] = None,
) -> None:
    """Serve connectors over gRPC. Every option can be set as CONNECTORY_NAME in the environment or in --config too."""
    flags = {
        "addresses": address,
        "uds": uds,
        "workers": workers,
        "modules": _findable(module),
        "metrics_address": metrics_address,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "tls_client_ca": tls_client_ca,
        "grace": grace,
        "log_format": log_format,
        "log_level": log_level,
        "max_message_bytes": max_message_bytes,
        "ledger": ledger,
        "tokens": tokens,
        "jwt_jwks": jwt_jwks,
        "jwt_issuer": jwt_issuer,
        "jwt_audience": jwt_audience,
        "jwt_leeway": jwt_leeway,
        "handle_keys": handle_keys,
        "audit_log": audit_log,
        "insecure_public": insecure_public,
    }
    raise typer.Exit(
        _work("serving").serve(config, {name: value for name, value in flags.items() if value is not None})
    )


@app.command()
def health(
    endpoint: Annotated[
        str, typer.Argument(metavar="[ENDPOINT]", help="HOST:PORT or unix:/PATH.", show_default=True)
    ] = "127.0.0.1:8000",
    service: Annotated[str, typer.Option("--service", help="Only this service or connector.  [the whole server]")] = "",
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait.")] = 4.0,
    tls_ca: Annotated[
        Path | None, typer.Option("--tls-ca", metavar="FILE", help="Trust servers signed by this CA, PEM.  [no TLS]")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Client certificate, PEM.", show_default=False)
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="Its private key, PEM.", show_default=False)
    ] = None,
    tls_name: Annotated[
        str | None,
        typer.Option("--tls-name", metavar="NAME", help="The name in the server's certificate.", show_default=False),
    ] = None,
) -> None:
    """Ask a connector server for its health; exit code 0 when it serves."""
    work = _work("health")
    raise typer.Exit(
        work.health(
            work.HealthOptions(
                endpoint=endpoint,
                service=service,
                timeout=timeout,
                tls_ca=tls_ca,
                tls_cert=tls_cert,
                tls_key=tls_key,
                tls_name=tls_name,
            )
        )
    )


@app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="The Python file with the workflow.")],
    workflow: Annotated[
        str | None, typer.Argument(metavar="[WORKFLOW]", help="Its name; may be left out when the file has only one.")
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input; JSON for lists and dicts; repeatable."),
    ] = None,
    inputs_file: Annotated[
        Path | None, typer.Option("--inputs-file", metavar="FILE", help="Inputs as a JSON or YAML object.")
    ] = None,
    endpoints: EndpointOption = None,
    store: StoreOption = None,
    output_prefix: Annotated[
        str | None,
        typer.Option("--output-prefix", metavar="URL", help="Where outputs are written.  [default: beside the store]"),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The execution's name.  [default: made up]", show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with this workflow's latest unfinished execution.")
    ] = False,
    module: Annotated[
        list[str] | None,
        typer.Option("--module", metavar="PKG.MOD", help="More connectors for the server started inside; repeatable."),
    ] = None,
    executor: Annotated[
        Literal["process", "thread"], typer.Option("--executor", help="Where Python tasks run.")
    ] = "process",
    max_parallelism: Annotated[
        int | None, typer.Option("--max-parallelism", min=1, help="Nodes at work at once.  [default: no bound]")
    ] = None,
    overwrite_cache: Annotated[
        bool, typer.Option("--overwrite-cache", help="Run cached tasks anew, and keep their new results.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a workflow durably and show its progress. Ctrl-C aborts it and waits until its jobs are gone."""
    options = _work("running").RunOptions(
        file=file,
        workflow=workflow,
        inputs=inputs or [],
        inputs_file=inputs_file,
        endpoints=endpoints or [],
        store=store,
        output_prefix=output_prefix,
        name=name,
        resume=resume,
        modules=_findable(module) or [],
        executor=executor,
        max_parallelism=max_parallelism,
        overwrite_cache=overwrite_cache,
        as_json=as_json,
    )
    raise typer.Exit(_work("running").run(options))


@app.command(name="compile")
def compile_file(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="The Python file with the workflows.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="A folder; made when absent.")],
    workflow: Annotated[str | None, typer.Option("--workflow", "-w", help="Only this one.  [default: all]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compile workflows to CompiledWorkflowClosure files: one .pb and one readable .json each."""
    raise typer.Exit(_work("compiling").compile_file(file, out, workflow, as_json))


@executions.command("list")
def list_executions(
    store: StoreOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List executions, newest first."""
    raise typer.Exit(_work("executions").list_executions(store, limit, as_json))


@executions.command("show")
def show_execution(
    execution: Annotated[str, typer.Argument(metavar="ID")], store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Show one execution: its nodes, their attempts, errors, log links and outputs."""
    raise typer.Exit(_work("executions").show_execution(store, execution, as_json))


@executions.command("abort")
def abort_execution(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    cause: Annotated[str, typer.Option("--cause", help="Why, for those who read it later.")] = "aborted by a person",
    endpoints: EndpointOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Abort an execution that no runner works on, and wait until its external jobs are gone."""
    raise typer.Exit(_work("executions").abort_execution(store, execution, cause, endpoints or [], as_json))


@executions.command("resume")
def resume_execution(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    endpoints: EndpointOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with an execution whose runner died."""
    raise typer.Exit(_work("running").resume(store, execution, endpoints or [], as_json))


@executions.command("signals")
def list_signals(
    execution: Annotated[str, typer.Argument(metavar="ID")], store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """List what an execution waits for people to say: approvals and values."""
    raise typer.Exit(_work("signals").list_signals(store, execution, as_json))


@executions.command("signal")
def give_signal(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="Its name, as `signals` lists it.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Text, or JSON for anything else.")],
    store: StoreOption = None,
) -> None:
    """Answer a gate that waits for a value. The process that runs the execution takes it within a second."""
    raise typer.Exit(_work("signals").give_signal(store, execution, signal, value))


@executions.command("approve")
def approve(
    execution: Annotated[str, typer.Argument(metavar="ID")],
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="The approval's name, as `signals` lists it.")],
    reject: Annotated[bool, typer.Option("--reject", help="Say no.")] = False,
    store: StoreOption = None,
) -> None:
    """Approve, or reject, what an execution waits for."""
    raise typer.Exit(_work("signals").approve(store, execution, signal, not reject))


ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="ENDPOINT",
        help="Ask this running server: HOST:PORT or unix:/PATH.  [default: what is installed here]",
        show_default=False,
    ),
]


@connectors.command("list")
def list_connectors(
    server: ServerOption = None,
    module: Annotated[list[str] | None, typer.Option("--module", metavar="PKG.MOD", help="Look here too.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List connectors and the task types they answer; broken ones with the reason."""
    raise typer.Exit(_work("connectors").list_connectors(server, _findable(module) or [], as_json))


@connectors.command("show")
def show_connector(
    name: Annotated[str, typer.Argument(help="The connector's name, or a task type.")],
    server: ServerOption = None,
    module: Annotated[list[str] | None, typer.Option("--module", metavar="PKG.MOD", help="Look here too.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one connector: its categories, its kind, and what a task of its type may say."""
    raise typer.Exit(_work("connectors").show_connector(name, server, _findable(module) or [], as_json))


AskedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--connectors",
        metavar="ENDPOINT",
        envvar="CONNECTORY_CONNECTORS",
        help="A running connector server: HOST:PORT or unix:/PATH; repeatable.  [127.0.0.1:8000]",
        show_default=False,
    ),
]
TlsCaOption = Annotated[
    Path | None, typer.Option("--tls-ca", metavar="FILE", help="Trust servers signed by this CA, PEM.  [no TLS]")
]
TlsCertOption = Annotated[
    Path | None, typer.Option("--tls-cert", metavar="FILE", help="Client certificate, PEM.", show_default=False)
]
TlsKeyOption = Annotated[
    Path | None, typer.Option("--tls-key", metavar="FILE", help="Its private key, PEM.", show_default=False)
]
TlsNameOption = Annotated[
    str, typer.Option("--tls-name", metavar="NAME", help="The name in the server's certificate.", show_default=False)
]
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
    work = _work("jobs")
    wanted = work.JobFilter(
        states=state or [],
        every_state=everything,
        category=task_type,
        execution=execution,
        orphans=orphans,
        limit=limit,
    )
    raise typer.Exit(work.list_jobs(_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name), wanted, as_json))


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
    raise typer.Exit(_work("jobs").show_job(_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name), key, as_json))


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
    raise typer.Exit(_work("jobs").delete_jobs(_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name), keys, as_json))


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
        _work("jobs").reap_jobs(_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name), dry_run, as_json)
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
    raise typer.Exit(_work("jobs").settle_job(_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name), key, handle))


def _servers(
    endpoints: list[str] | None, tls_ca: Path | None, tls_cert: Path | None, tls_key: Path | None, tls_name: str
) -> Any:
    return _work("jobs").Servers(
        endpoints=endpoints or [], tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key, tls_name=tls_name
    )


def main(*args: Any) -> None:
    """Run the command line; an error of the project is one sentence on stderr and exit code 1."""
    # Children are always started as new programs, never forked to go on; gRPC would warn about each of them.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    try:
        app(*args)
    except ConnectoryError as error:
        typer.echo(f"connectory: {error}", err=True)
        sys.exit(1)
