"""Who may call the server, and which secrets its connectors may read."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from msgspec import Meta

__all__ = ["Access"]


@dataclass(frozen=True, kw_only=True)
class Access:
    """The settings about certificates, tokens, keys and secrets."""

    tls_cert: Annotated[
        Path | None,
        Meta(
            description="Certificate chain (PEM) to serve with TLS; read again when it changes.",
            examples=["server.pem"],
        ),
    ] = None
    tls_key: Annotated[
        Path | None,
        Meta(description="Private key (PEM) of the certificate; read again when it changes.", examples=["server.key"]),
    ] = None
    tls_client_ca: Annotated[
        Path | None,
        Meta(
            description="CA certificates (PEM); callers must then present a certificate signed by one of them.",
            examples=["clients-ca.pem"],
        ),
    ] = None
    tokens: Annotated[
        Path | None,
        Meta(
            description="YAML file of callers: name, token or sha256, and scopes like sql:create; calls must then bring"
            " one of the tokens. Read again when it changes.",
            examples=["/etc/connectory/tokens.yaml"],
        ),
    ] = None
    jwt_jwks: Annotated[
        str | None,
        Meta(
            description="URL or file of the public keys (JWKS) that sign bearer tokens; needs jwt_issuer and"
            " jwt_audience.",
            examples=["https://login.example.com/keys"],
        ),
    ] = None
    jwt_issuer: Annotated[
        str | None,
        Meta(description="Who signed tokens must come from (`iss`).", examples=["https://login.example.com"]),
    ] = None
    jwt_audience: Annotated[
        str | None, Meta(description="Whom signed tokens must be meant for (`aud`).", examples=["connectory"])
    ] = None
    jwt_leeway: Annotated[
        float,
        Meta(
            ge=0, le=3600, description="Seconds by which the issuer's clock and this one may differ.", examples=["30"]
        ),
    ] = 30.0
    handle_keys: Annotated[
        Path | None,
        Meta(
            description="File of keys, one on each line, that handles are signed with (the first) and checked against"
            " (all): nobody can then make up the handle of a job.",
            examples=["/etc/connectory/handle-keys"],
        ),
    ] = None
    secrets_allow: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description="Secrets of the server that connectors may read: KEY, GROUP/KEY or PROJECT:GROUP/KEY, with *"
            " for any characters, by task type or connector; * is for all others. Who is not named may read all.",
            examples=["sql=warehouse/*,sql=ml:admin/password"],
        ),
    ] = field(default_factory=dict)
    audit_log: Annotated[
        str | None,
        Meta(
            description="File that gets a line of JSON for each call that changes something or is refused; - is"
            " standard error.",
            examples=["/var/log/connectory/audit.jsonl"],
        ),
    ] = None
    insecure_public: Annotated[
        bool,
        Meta(
            description="Allow an address that other machines can reach without tokens or client certificates: anybody"
            " who reaches it can then start jobs.",
            examples=["true"],
        ),
    ] = False
