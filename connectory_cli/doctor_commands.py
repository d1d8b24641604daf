"""Declare the command that says what is wrong."""

from pathlib import Path
from typing import Annotated

import typer

from connectory_cli.asked_options import TlsCaOption, TlsCertOption, TlsKeyOption, TlsNameOption
from connectory_cli.options import JsonOption, StoreOption, findable, module_of

__all__ = ["add_doctor_command"]


def add_doctor_command(app: typer.Typer) -> None:
    """Put the command below `connectory`."""
    app.command()(doctor)


def doctor(
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="The connector server's settings as YAML.  [the environment]"),
    ] = None,
    address: Annotated[
        str,
        typer.Option(
            "--address",
            metavar="ENDPOINT",
            help="Look at this running server, HOST:PORT or unix:/PATH.  [where the settings listen]",
            show_default=False,
        ),
    ] = "",
    store: StoreOption = None,
    output_prefix: Annotated[
        str | None,
        typer.Option("--output-prefix", metavar="URL", help="Where nodes write.  [default: beside the store]"),
    ] = None,
    module: Annotated[
        list[str] | None, typer.Option("--module", metavar="PKG.MOD", help="Look for connectors here too; repeatable.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CHECK", help="Only this check; repeatable.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="How long each check may take.")
    ] = 5.0,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
    as_json: JsonOption = False,
) -> None:
    """Find what would stop a server or a runner from working here, with the remedy. Changes nothing."""
    work = module_of("doctor.command")
    raise typer.Exit(
        work.doctor(
            work.DoctorOptions(
                config=config,
                address=address,
                store=store,
                output_prefix=output_prefix,
                modules=findable(module) or [],
                only=only or [],
                timeout=timeout,
                tls_ca=tls_ca,
                tls_cert=tls_cert,
                tls_key=tls_key,
                tls_name=tls_name,
                as_json=as_json,
            )
        )
    )
