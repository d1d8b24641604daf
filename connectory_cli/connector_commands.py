"""Declare the commands that say what connectors there are, and whether they do what they must."""

from pathlib import Path
from typing import Annotated

import typer

from connectory_cli.asked_options import TlsCaOption, TlsCertOption, TlsKeyOption, TlsNameOption
from connectory_cli.options import JsonOption, findable, group, module_of

__all__ = ["add_connector_commands"]

connectors = group("List what a connector server, or this installation, can do; check what any server does.")


def add_connector_commands(app: typer.Typer) -> None:
    """Put these commands below `connectory`."""
    app.add_typer(connectors, name="connectors")


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
    raise typer.Exit(module_of("connectors").list_connectors(server, findable(module) or [], as_json))


@connectors.command("show")
def show_connector(
    name: Annotated[str, typer.Argument(help="The connector's name, or a task type.")],
    server: ServerOption = None,
    module: Annotated[list[str] | None, typer.Option("--module", metavar="PKG.MOD", help="Look here too.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one connector: its categories, its kind, and what a task of its type may say."""
    raise typer.Exit(module_of("connectors").show_connector(name, server, findable(module) or [], as_json))


@connectors.command("check")
def check_connector(
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="A running server: HOST:PORT or unix:/PATH.")],
    category: Annotated[str, typer.Option("--category", metavar="NAME[@VERSION]", help="The task type.")],
    template: Annotated[
        Path | None,
        typer.Option("--template", metavar="FILE", help="A compiled TaskTemplate (protobuf).", show_default=False),
    ] = None,
    config: Annotated[str, typer.Option("--config", metavar="JSON", help="The task's config.")] = "{}",
    inputs: Annotated[str, typer.Option("--inputs", metavar="JSON", help="The task's inputs by name.")] = "{}",
    outputs: Annotated[
        str, typer.Option("--outputs", metavar="JSON", help='Declared outputs, such as {"rows": "int"}.')
    ] = "{}",
    output_prefix: Annotated[
        str, typer.Option("--output-prefix", metavar="URL", help="Where outputs may be put.", show_default=False)
    ] = "",
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret", metavar="NAME", help="Send this environment variable as a secret; look for it."),
    ] = None,
    unknown_handle: Annotated[
        Path | None,
        typer.Option("--unknown-handle", metavar="FILE", help="A handle of no job.", show_default=False),
    ] = None,
    older_handle: Annotated[
        list[Path] | None, typer.Option("--older-handle", metavar="FILE", help="A handle of an earlier release.")
    ] = None,
    restart: Annotated[
        str,
        typer.Option("--restart", metavar="COMMAND", help="Restarts the server at its address.", show_default=False),
    ] = "",
    outage: Annotated[
        str,
        typer.Option(
            "--outage",
            metavar="COMMAND",
            help="Called with begin and end: takes the external system away, and brings it back.",
            show_default=False,
        ),
    ] = "",
    unknown_state: Annotated[
        str,
        typer.Option(
            "--unknown-state",
            metavar="COMMAND",
            help="Called with begin and end: makes it report a state that nobody knows.",
            show_default=False,
        ),
    ] = "",
    only: Annotated[list[str] | None, typer.Option("--only", metavar="CHECK", help="Only this check.")] = None,
    time_limit: Annotated[float, typer.Option("--time-limit", min=1, help="Seconds that the task may take.")] = 60.0,
    call_limit: Annotated[float, typer.Option("--call-limit", min=0.1, help="Seconds that a call may take.")] = 15.0,
    token: Annotated[
        str,
        typer.Option("--token", metavar="TOKEN", help="Bearer token.  [as the environment says]", show_default=False),
    ] = "",
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
    as_json: JsonOption = False,
) -> None:
    """Try the contract of connectors at any address, in any language, with a harmless task that succeeds."""
    work = module_of("connector_checks")
    task = work.CheckedTask(
        category=category,
        template=template,
        config=config,
        inputs=inputs,
        outputs=outputs,
        output_prefix=output_prefix,
        secrets=secret or [],
        unknown_handle=unknown_handle,
        older_handles=older_handle or [],
        time_limit=time_limit,
        call_limit=call_limit,
        outside=work.OutsideCommands(restart=restart, outage=outage, unknown_state=unknown_state),
    )
    reach = work.reach_from(ca=tls_ca, certificate=tls_cert, key=tls_key, server_name=tls_name)
    raise typer.Exit(work.check_connector(endpoint, task, reach=reach, token=token, only=only or [], as_json=as_json))
