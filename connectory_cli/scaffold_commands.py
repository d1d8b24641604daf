"""Declare the commands that write new things."""

from pathlib import Path
from typing import Annotated

import typer

from connectory_cli.options import group, module_of

__all__ = ["add_scaffold_commands"]

new = group("Begin something new.")


def add_scaffold_commands(app: typer.Typer) -> None:
    """Put these commands below `connectory`."""
    app.add_typer(new, name="new")


@new.callback()
def _new() -> None:
    """Begin something new."""


@new.command("connector")
def new_connector(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Small letters and digits, joined by - or _.")],
    sync: Annotated[bool, typer.Option("--sync", help="Its work is done within one call, without jobs.")] = False,
    directory: Annotated[
        Path | None,
        typer.Option("--directory", metavar="FOLDER", help="Where to write it.  [NAME-connector, in this folder]"),
    ] = None,
) -> None:
    """Write an installable connector with tests that pass: a package, its entry point, the conformance kit."""
    raise typer.Exit(module_of("scaffold.command").new_connector(name, directory, sync=sync))
