"""Declare the command that has running connector servers reload."""

import typer

from connectory_cli.asked_options import (
    AskedOption,
    TlsCaOption,
    TlsCertOption,
    TlsKeyOption,
    TlsNameOption,
    asked_servers,
)
from connectory_cli.options import JsonOption, module_of

__all__ = ["add_reload_command"]


def add_reload_command(app: typer.Typer) -> None:
    """Put the command below `connectory`."""
    app.command("reload")(reload_servers)


def reload_servers(
    endpoints: AskedOption = None,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
    as_json: JsonOption = False,
) -> None:
    """Have connector servers read their configuration again and load their connectors anew, while they serve."""
    servers = asked_servers(endpoints, tls_ca, tls_cert, tls_key, tls_name)
    raise typer.Exit(module_of("reloading").reload_servers(servers, as_json))
