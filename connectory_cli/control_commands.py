"""Declare the commands that talk to a runner's control API, and the one that serves it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from connectory_cli.options import (
    DomainOption,
    EndpointOption,
    JsonOption,
    ProjectOption,
    StoreOption,
    TargetOption,
    findable,
    group,
    module_of,
)

__all__ = ["add_control_commands"]

runner = group("Run workflows for others, as a service.")


def add_control_commands(app: typer.Typer) -> None:
    """Put these commands below `connectory`."""
    app.add_typer(runner, name="runner")
    app.command()(register)
    app.command()(launch)


@runner.command()
def serve(
    address: Annotated[
        list[str] | None,
        typer.Option(
            "--address", metavar="HOST:PORT", help="Listen here; repeatable.  [127.0.0.1:8089]", show_default=False
        ),
    ] = None,
    uds: Annotated[
        list[Path] | None,
        typer.Option("--uds", metavar="PATH", help="Listen on this unix socket; repeatable.", show_default=False),
    ] = None,
    store: StoreOption = None,
    output_prefix: Annotated[
        str | None,
        typer.Option("--output-prefix", metavar="URL", help="Where outputs are written.  [default: beside the store]"),
    ] = None,
    endpoints: EndpointOption = None,
    module: Annotated[
        list[str] | None,
        typer.Option("--module", metavar="PKG.MOD", help="More connectors for the server started inside; repeatable."),
    ] = None,
    executor: Annotated[
        Literal["process", "thread", "dask"], typer.Option("--executor", help="Where Python tasks run.")
    ] = "process",
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Server certificate, PEM.  [no TLS]")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="The certificate's private key, PEM.")
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option("--tls-client-ca", metavar="FILE", help="Require client certificates signed by this CA (mTLS)."),
    ] = None,
    http_address: Annotated[
        str,
        typer.Option("--http-address", metavar="HOST:PORT", help="Answer uploads and downloads here; port 0: any."),
    ] = "127.0.0.1:0",
    http_url: Annotated[
        str, typer.Option("--http-url", metavar="URL", help="How clients reach that place.  [by its address]")
    ] = "",
    grace: Annotated[
        float, typer.Option("--grace", metavar="SECONDS", min=0, help="How long calls in flight may finish at the end.")
    ] = 10.0,
    tokens: Annotated[
        Path | None,
        typer.Option("--tokens", metavar="FILE", help="Callers, their bearer tokens and scopes, as YAML.  [no tokens]"),
    ] = None,
    jwt_jwks: Annotated[
        str | None,
        typer.Option("--jwt-jwks", metavar="URL|FILE", help="Public keys (JWKS) of signed bearer tokens."),
    ] = None,
    jwt_issuer: Annotated[
        str | None, typer.Option("--jwt-issuer", metavar="TEXT", help="Who signed tokens must come from.")
    ] = None,
    jwt_audience: Annotated[
        str | None, typer.Option("--jwt-audience", metavar="TEXT", help="Whom signed tokens must be meant for.")
    ] = None,
    jwt_leeway: Annotated[
        float, typer.Option("--jwt-leeway", metavar="SECONDS", min=0, help="How far clocks may differ.")
    ] = 30.0,
    audit_log: Annotated[
        str | None,
        typer.Option("--audit-log", metavar="FILE", help="Who did what, a line of JSON each; - is stderr.  [off]"),
    ] = None,
    allowed_output_prefix: Annotated[
        list[str] | None,
        typer.Option(
            "--allowed-output-prefix",
            metavar="URL",
            help="Where callers may have outputs written, besides --output-prefix; repeatable.  [see the docs]",
            show_default=False,
        ),
    ] = None,
    prune_older_than: Annotated[
        str | None,
        typer.Option("--prune-older-than", metavar="AGE", help="Forget what ended so long ago, such as 30d.  [never]"),
    ] = None,
    prune_keep: Annotated[
        int, typer.Option("--prune-keep", metavar="N", min=0, help="But keep the N executions that ended last.")
    ] = 0,
    insecure_public: Annotated[
        bool,
        typer.Option("--insecure-public", help="Allow a public address without tokens or client certificates."),
    ] = False,
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        typer.Option("--log-level", case_sensitive=False, help="Least severe level."),
    ] = "INFO",
) -> None:
    """Run workflows for others, through the control API that Flyte's clients speak. What is unfinished goes on."""
    work = module_of("runner_serving")
    options = work.ServeOptions(
        control=work.ControlSettings(
            addresses=tuple(address or ()),
            uds=tuple(uds or ()),
            tls_cert=tls_cert,
            tls_key=tls_key,
            tls_client_ca=tls_client_ca,
            http_address=http_address,
            http_url=http_url,
            grace=grace,
            insecure_public=insecure_public,
            tokens=tokens,
            jwt_jwks=jwt_jwks,
            jwt_issuer=jwt_issuer,
            jwt_audience=jwt_audience,
            jwt_leeway=jwt_leeway,
            audit_log=audit_log,
            allowed_output_prefixes=tuple(allowed_output_prefix or ()),
            retention=module_of("pruning").retention(prune_older_than, prune_keep),
        ),
        store=store,
        output_prefix=output_prefix,
        endpoints=endpoints or [],
        modules=findable(module) or [],
        executor=executor,
        log_level=log_level,
    )
    raise typer.Exit(work.serve(options))


def register(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="The Python file with the workflows.")],
    endpoint: TargetOption = None,
    store: StoreOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
    version: Annotated[
        str | None, typer.Option("--version", help="Their version.  [default: made from their content]")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Register the tasks, workflows and launch plans of a file with a runner. Doing so twice changes nothing."""
    work = module_of("registering")
    options = work.RegisterOptions(
        file=file, endpoint=endpoint, store=store, project=project, domain=domain, version=version, as_json=as_json
    )
    raise typer.Exit(work.register_file(options))


def launch(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A launch plan or workflow, such as flows.greet or greet.")
    ],
    endpoint: TargetOption = None,
    store: StoreOption = None,
    project: ProjectOption = "default",
    domain: DomainOption = "development",
    version: Annotated[
        str | None, typer.Option("--version", help="Its version.  [default: the active one, or else the newest]")
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input; JSON for lists and dicts; repeatable."),
    ] = None,
    inputs_file: Annotated[
        Path | None, typer.Option("--inputs-file", metavar="FILE", help="Inputs as a JSON or YAML object.")
    ] = None,
    variables: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME=VALUE", help="A variable for all of its tasks; repeatable."),
    ] = None,
    execution: Annotated[
        str | None, typer.Option("--name", help="The execution's name.  [default: made up]", show_default=False)
    ] = None,
    overwrite_cache: Annotated[
        bool, typer.Option("--overwrite-cache", help="Run cached tasks anew, and keep their new results.")
    ] = False,
    max_parallelism: Annotated[
        int | None, typer.Option("--max-parallelism", min=1, help="Nodes at work at once.  [default: the plan's]")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show its progress until it ends. Always so without --endpoint.")
    ] = False,
    endpoints: EndpointOption = None,
    module: Annotated[
        list[str] | None,
        typer.Option("--module", metavar="PKG.MOD", help="More connectors for the server started inside; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Start something that is registered."""
    work = module_of("launching")
    options = work.LaunchOptions(
        name=name,
        endpoint=endpoint,
        store=store,
        project=project,
        domain=domain,
        version=version,
        inputs=inputs or [],
        inputs_file=inputs_file,
        variables=variables or [],
        execution=execution,
        overwrite_cache=overwrite_cache,
        max_parallelism=max_parallelism,
        wait=wait,
        endpoints=endpoints or [],
        modules=findable(module) or [],
        as_json=as_json,
    )
    raise typer.Exit(work.launch(options))
