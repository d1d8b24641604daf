"""Commands for the store itself, which a runner's control API has nothing like."""

from typing import Annotated

import typer

__all__ = ["NoTargetOption", "require_store"]

NoTargetOption = Annotated[str | None, typer.Option("--endpoint", envvar="CONNECTORY_ENDPOINT", hidden=True)]
"""Read only to be refused: whoever asks a service does not mean the store of this machine."""


def require_store(context: typer.Context, endpoint: str | None, *, what: str, instead: str) -> None:
    """Refuse an endpoint, unless it comes from the environment and `--store` says itself what is meant.

    `what` is what the command does, `instead` how the same is done with a service.
    """
    if endpoint is None or (_given(context, "store") and not _given(context, "endpoint")):
        return
    whence = "--endpoint" if _given(context, "endpoint") else "CONNECTORY_ENDPOINT"
    raise typer.BadParameter(
        f"{whence} names the runner at {endpoint}, whose control API has no method for this: {what} on the store"
        " itself. Where that can be reached, give --store as the runner has it, without --endpoint."
        f" {instead} For the store of this machine's own runs, leave --endpoint out and CONNECTORY_ENDPOINT unset."
    )


def _given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
