"""Declare the command that says what plugins the runner has."""

import typer

from connectory_cli.options import JsonOption, module_of

__all__ = ["add_plugin_commands"]


def add_plugin_commands(app: typer.Typer) -> None:
    """Put the command below `connectory`."""
    app.command("plugins")(list_plugins)


def list_plugins(as_json: JsonOption = False) -> None:
    """List what carries out tasks in the runner: shipped plugins, and those of installed packages; broken ones too."""
    raise typer.Exit(module_of("plugins").list_plugins(as_json))
