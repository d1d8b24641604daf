"""Declare the options that say which running connector servers are asked, and how they are reached."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AskedOption", "TlsCaOption", "TlsCertOption", "TlsKeyOption", "TlsNameOption"]

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
        help="Trust servers signed by this CA, PEM.  [no TLS]",
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
        help="The name in the server's certificate.",
        show_default=False,
    ),
]
