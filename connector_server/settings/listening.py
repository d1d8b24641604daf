"""Where the server listens, how many processes do, and whose connectors they serve."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

__all__ = ["DEFAULT_ADDRESS", "Listening"]

DEFAULT_ADDRESS = "127.0.0.1:8000"


@dataclass(frozen=True, kw_only=True)
class Listening:
    """The settings about addresses, processes and connector modules."""

    config: Annotated[
        Path | None,
        Meta(
            description="YAML file with settings under the names of this list; options and environment come before it.",
            examples=["/etc/connectory/server.yaml"],
        ),
    ] = None
    addresses: Annotated[
        tuple[str, ...],
        Meta(
            description="HOST:PORT to listen on; port 0 takes a free one. With neither address nor socket:"
            f" {DEFAULT_ADDRESS}.",
            examples=[DEFAULT_ADDRESS],
        ),
    ] = ()
    uds: Annotated[
        tuple[Path, ...],
        Meta(
            description="Unix sockets to listen on, for callers on this machine; created with mode 0600.",
            examples=["/run/connectory.sock"],
        ),
    ] = ()
    workers: Annotated[
        int,
        Meta(ge=1, le=1024, description="Worker processes that share the addresses.", examples=["4"]),
    ] = 1
    modules: Annotated[
        tuple[str, ...],
        Meta(
            description="Python modules with connectors, beside those found by entry point.",
            examples=["my_package.connectors"],
        ),
    ] = ()
    metrics_address: Annotated[
        str | None,
        Meta(
            description="HOST:PORT where Prometheus metrics are served; with several workers, worker N answers at"
            " PORT + N - 1. Off by default.",
            examples=["127.0.0.1:9090"],
        ),
    ] = None
