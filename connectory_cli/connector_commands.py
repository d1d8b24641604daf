"""Declare the commands that say what connectors there are."""

from typing import Annotated

import typer

from connectory_cli.options import JsonOption, findable, group, module_of

__all__ = ["add_connector_commands"]

connectors = group("List what a connector server, or this installation, can do.")


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
