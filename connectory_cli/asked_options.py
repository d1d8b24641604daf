"""Declare the options that say which running connector servers are asked, and how they are reached."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connectory_cli.options import module_of

__all__ = ["AskedOption", "TlsCaOption", "TlsCertOption", "TlsKeyOption", "TlsNameOption", "asked_servers"]

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
    Path | None,
    typer.Option(
        "--tls-ca",
        metavar="FILE",
        envvar="CONNECTORY_CLIENT_CA",
        help="Trust servers signed by this CA, PEM; system for the public ones.  [no TLS]",
    ),
]
TlsCertOption = Annotated[
    Path | None,
    typer.Option(
        "--tls-cert",
        metavar="FILE",
        envvar="CONNECTORY_CLIENT_CERT",
        help="Client certificate, PEM.",
        show_default=False,
    ),
]
TlsKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--tls-key", metavar="FILE", envvar="CONNECTORY_CLIENT_KEY", help="Its private key, PEM.", show_default=False
    ),
]
TlsNameOption = Annotated[
    str,
    typer.Option(
        "--tls-name",
        metavar="NAME",
        envvar="CONNECTORY_CLIENT_SERVER_NAME",
        help="The name in the server's certificate.  [the one in the address]",
        show_default=False,
    ),
]


def asked_servers(
    endpoints: list[str] | None, tls_ca: Path | None, tls_cert: Path | None, tls_key: Path | None, tls_name: str
) -> Any:
    """The servers that these options name, for the modules that ask them."""
    return module_of("jobs").Servers(
        endpoints=endpoints or [], tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key, tls_name=tls_name
    )
