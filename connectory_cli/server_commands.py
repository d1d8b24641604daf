"""Declare the commands around a connector server."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from connectory_cli.asked_options import TlsCaOption, TlsCertOption, TlsKeyOption, TlsNameOption
from connectory_cli.options import module_of

__all__ = ["add_server_commands"]


def add_server_commands(app: typer.Typer) -> None:
    """Put these commands below `connectory`."""
    app.command()(serve)
    app.command()(health)


def serve(
    address: Annotated[
        list[str] | None,
        typer.Option(
            "--address",
            metavar="HOST:PORT",
            help="Listen here; repeatable.  [127.0.0.1:8000]",
            show_default=False,
        ),
    ] = None,
    uds: Annotated[
        list[Path] | None,
        typer.Option(
            "--uds", metavar="PATH", help="Listen on this unix socket; repeatable.  [none]", show_default=False
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Worker processes that share the port.  [1]")
    ] = None,
    module: Annotated[
        list[str] | None,
        typer.Option(
            "--module",
            metavar="PKG.MOD",
            help="A Python module with connectors, installed or in this folder; repeatable.  [none]",
            show_default=False,
        ),
    ] = None,
    isolation: Annotated[
        str | None,
        typer.Option(
            "--isolation",
            metavar="CHOICE",
            help="process or none: connectors in processes of their own; or NAME=CHOICE,... by entry point or module."
            "  [none]",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="Settings as YAML. Order: options, environment, file, defaults.  [none]"
        ),
    ] = None,
    metrics_address: Annotated[
        str | None,
        typer.Option("--metrics-address", metavar="HOST:PORT", help="Serve Prometheus metrics here.  [off]"),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Server certificate, PEM.  [no TLS]")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="The certificate's private key, PEM.  [no TLS]")
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(
            "--tls-client-ca", metavar="FILE", help="Require client certificates signed by this CA (mTLS).  [none]"
        ),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(
            "--grace", metavar="SECONDS", min=0, help="How long calls in flight may finish after SIGTERM.  [30]"
        ),
    ] = None,
    log_format: Annotated[
        Literal["json", "console"] | None,
        typer.Option("--log-format", help="Log lines as JSON or for people.  [console on a terminal]"),
    ] = None,
    log_level: Annotated[str | None, typer.Option("--log-level", help="Least severe level.  [INFO]")] = None,
    max_message_bytes: Annotated[
        int | None,
        typer.Option("--max-message-bytes", min=1024, help="Largest message in or out, in bytes.  [33554432]"),
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option(
            "--ledger",
            metavar="memory|none|PATH|URL",
            help="What remembers creates: this process, nobody, an SQLite file, or postgresql://...  [memory]",
        ),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option("--tokens", metavar="FILE", help="Callers, their bearer tokens and scopes, as YAML.  [no tokens]"),
    ] = None,
    jwt_jwks: Annotated[
        str | None,
        typer.Option("--jwt-jwks", metavar="URL|FILE", help="Public keys (JWKS) of signed bearer tokens.  [none]"),
    ] = None,
    jwt_issuer: Annotated[
        str | None, typer.Option("--jwt-issuer", metavar="TEXT", help="Who signed tokens must come from.  [none]")
    ] = None,
    jwt_audience: Annotated[
        str | None, typer.Option("--jwt-audience", metavar="TEXT", help="Whom signed tokens must be meant for.  [none]")
    ] = None,
    jwt_leeway: Annotated[
        float | None,
        typer.Option("--jwt-leeway", metavar="SECONDS", min=0, help="How far clocks may differ.  [30]"),
    ] = None,
    handle_keys: Annotated[
        Path | None, typer.Option("--handle-keys", metavar="FILE", help="Keys that sign handles.  [unsigned]")
    ] = None,
    secrets_allow: Annotated[
        str | None,
        typer.Option(
            "--secrets-allow",
            metavar="TYPE=SECRET,...",
            help="Secrets that connectors may read: KEY, GROUP/KEY or PROJECT:GROUP/KEY, * for any.  [all]",
        ),
    ] = None,
    audit_log: Annotated[
        str | None,
        typer.Option("--audit-log", metavar="FILE", help="Who did what, a line of JSON each; - is stderr.  [off]"),
    ] = None,
    ledger_lease: Annotated[
        float | None,
        typer.Option(
            "--ledger-lease",
            metavar="SECONDS",
            help="When replicas that share a PostgreSQL ledger take a silent one for dead.  [15]",
        ),
    ] = None,
    ambiguous: Annotated[
        str | None,
        typer.Option(
            "--ambiguous",
            metavar="CHOICE",
            help="fail, retry or ask when nobody knows whether a job was created; or TYPE=CHOICE,...  [fail]",
        ),
    ] = None,
    on_orphan: Annotated[
        str | None,
        typer.Option(
            "--on-orphan",
            metavar="CHOICE",
            help="keep or delete jobs that nobody polls any more; or TYPE=CHOICE,...  [as connectors declare]",
        ),
    ] = None,
    lease: Annotated[
        str | None,
        typer.Option(
            "--lease",
            metavar="SECONDS",
            help="When a job that nobody polls is an orphan, 0 for never; or TYPE=SECONDS,...  [as connectors declare]",
        ),
    ] = None,
    limits: Annotated[
        str | None,
        typer.Option(
            "--limits",
            metavar="LIMITS",
            help="How much of an external system is used: jobs=20, or TYPE.creates_per_second=5,...  "
            "[as connectors declare]",
        ),
    ] = None,
    reap_every: Annotated[
        float | None,
        typer.Option("--reap-every", metavar="SECONDS", min=0, help="How often orphans are looked after.  [15]"),
    ] = None,
    max_in_flight: Annotated[
        int | None,
        typer.Option(
            "--max-in-flight", metavar="CALLS", min=1, help="Calls that each process works on at once.  [20000]"
        ),
    ] = None,
    config_check_every: Annotated[
        float | None,
        typer.Option(
            "--config-check-every",
            metavar="SECONDS",
            min=0,
            help="How often --config is looked at, to be read again when it changed.  [never]",
        ),
    ] = None,
    insecure_public: Annotated[
        bool | None,
        typer.Option("--insecure-public", help="Allow a public address without tokens or client certificates.  [off]"),
    ] = None,
) -> None:
    """Serve connectors over gRPC. Every option can be set as CONNECTORY_NAME in the environment or in --config too."""
    flags = {
        "addresses": address,
        "uds": uds,
        "workers": workers,
        "modules": module,
        "isolation": isolation,
        "metrics_address": metrics_address,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "tls_client_ca": tls_client_ca,
        "grace": grace,
        "log_format": log_format,
        "log_level": log_level,
        "max_message_bytes": max_message_bytes,
        "ledger": ledger,
        "ledger_lease": ledger_lease,
        "ambiguous": ambiguous,
        "on_orphan": on_orphan,
        "lease": lease,
        "limits": limits,
        "reap_every": reap_every,
        "max_in_flight": max_in_flight,
        "config_check_every": config_check_every,
        "tokens": tokens,
        "jwt_jwks": jwt_jwks,
        "jwt_issuer": jwt_issuer,
        "jwt_audience": jwt_audience,
        "jwt_leeway": jwt_leeway,
        "handle_keys": handle_keys,
        "secrets_allow": secrets_allow,
        "audit_log": audit_log,
        "insecure_public": insecure_public,
    }
    raise typer.Exit(
        module_of("serving").serve(config, {name: value for name, value in flags.items() if value is not None})
    )


def health(
    endpoint: Annotated[
        str, typer.Argument(metavar="[ENDPOINT]", help="HOST:PORT or unix:/PATH.", show_default=True)
    ] = "127.0.0.1:8000",
    service: Annotated[str, typer.Option("--service", help="Only this service or connector.  [the whole server]")] = "",
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait.")] = 4.0,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tls_name: TlsNameOption = "",
) -> None:
    """Ask a connector server for its health; exit code 0 when it serves."""
    work = module_of("health")
    raise typer.Exit(
        work.health(
            work.HealthOptions(
                endpoint=endpoint,
                service=service,
                timeout=timeout,
                tls_ca=tls_ca,
                tls_cert=tls_cert,
                tls_key=tls_key,
                tls_name=tls_name,
            )
        )
    )
