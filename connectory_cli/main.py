"""The command line, put together of groups of commands; everything heavy is imported when a command runs.

Each command names the module of this package that does the work. `connectory --help` therefore loads neither grpc nor
a database.
"""

import os
import sys
from typing import Any, Final

import typer

from connectory.errors import ConnectoryError
from connectory_cli.cache_commands import add_cache_commands
from connectory_cli.connector_commands import add_connector_commands
from connectory_cli.control_commands import add_control_commands
from connectory_cli.doctor_commands import add_doctor_command
from connectory_cli.execution_commands import add_execution_commands
from connectory_cli.job_commands import add_job_commands
from connectory_cli.plugin_commands import add_plugin_commands
from connectory_cli.reload_commands import add_reload_command
from connectory_cli.run_commands import add_run_commands
from connectory_cli.scaffold_commands import add_scaffold_commands
from connectory_cli.server_commands import add_server_commands

_NOBODY_THERE: Final = (
    "; start a server there (`connectory serve`, for executions `connectory runner serve`), or name another one:"
    " HOST:PORT or unix:/PATH"
)

app = typer.Typer(
    name="connectory",
    help="Connect workflow engines to the systems that do the work: serve connectors, run workflows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
add_server_commands(app)
add_reload_command(app)
add_doctor_command(app)
add_run_commands(app)
add_execution_commands(app)
add_cache_commands(app)
add_connector_commands(app)
add_scaffold_commands(app)
add_plugin_commands(app)
add_job_commands(app)
add_control_commands(app)


def main(*args: Any) -> None:
    """Run the command line; an error of the project is one sentence on stderr and exit code 1."""
    # Children are always started as new programs, never forked to go on; gRPC would warn about each of them.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    try:
        app(*args)
    except ConnectoryError as error:
        remedy = _NOBODY_THERE if getattr(error, "reason", "") == "NO_ANSWER" else ""
        typer.echo(f"connectory: {error}{remedy}", err=True)
        sys.exit(1)
