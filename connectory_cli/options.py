"""Options that several commands have, and how commands find the modules that do their work."""

import gc
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Final

import typer

from connectory.garbage import spare_what_is_loaded

__all__ = [
    "AUTHORITIES",
    "DomainOption",
    "EndpointOption",
    "JsonOption",
    "ProjectOption",
    "StoreOption",
    "TargetOption",
    "findable",
    "group",
    "look_here",
    "module_of",
]

AUTHORITIES: Final = "system"
"""Said instead of a file of authorities: those that this machine trusts."""

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="CONNECTORY_STORE",
        help="Where executions are kept: sqlite:///PATH, postgresql://USER@HOST/DATABASE or memory://.  "
        "[default: a file in the user's state folder]",
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
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        envvar="CONNECTORY_ENDPOINT",
        metavar="ENDPOINT",
        help="A runner's control API: HOST:PORT or unix:/PATH.  [default: a runner inside, on the store]",
        show_default=False,
    ),
]
ProjectOption = Annotated[
    str, typer.Option("--project", "-p", envvar="CONNECTORY_PROJECT", help="The project.", show_default=True)
]
DomainOption = Annotated[
    str, typer.Option("--domain", "-d", envvar="CONNECTORY_DOMAIN", help="The domain.", show_default=True)
]


def group(text: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)


def module_of(module: str) -> ModuleType:
    """Load the module of this package that does a command's work.

    What is loaded lives as long as the process, so it is never searched for garbage, neither meanwhile nor later.
    """
    name = f"connectory_cli.{module}"
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        loaded = importlib.import_module(name)
        spare_what_is_loaded()
    finally:
        gc.enable()
    return loaded


def findable(modules: list[str] | None) -> list[str] | None:
    """The modules, which may also be files of the current folder, however this program was started."""
    if modules:
        look_here()
    return modules


def look_here() -> None:
    """Find modules in the current folder, too."""
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
