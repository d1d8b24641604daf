"""What the control API's server is told."""

from dataclasses import dataclass
from pathlib import Path

from connectory.errors import SettingsError
from connectory.rpc.access.wanted import check_access, demands_tokens
from connectory.rpc.addresses import Address, parse_address
from workflow_runner.retention.pruner import Retention

__all__ = ["ControlSettings"]

_DEFAULT = "127.0.0.1:8089"


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlSettings:
    """Where the control API listens and whom it trusts. A SettingsError names what cannot be used."""

    addresses: tuple[str, ...] = ()
    """HOST:PORT; without any, and without a unix socket, 127.0.0.1:8089."""
    uds: tuple[Path, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    grace: float = 10.0
    """Seconds for which calls in flight may go on when the server stops."""
    max_message_bytes: int = 32 * 1024 * 1024
    http_address: str = "127.0.0.1:0"
    """Where uploads and downloads are answered, at signed addresses only; port 0: any free one."""
    http_url: str = ""
    """How clients reach that place, such as https://runner.example.com; empty: by its address."""
    max_upload_bytes: int = 1024 * 1024 * 1024
    """The largest file that may be sent."""
    insecure_public: bool = False
    """Whether a public address may be listened on without client certificates or tokens over TLS."""
    tokens: Path | None = None
    """YAML file of callers: name, token or sha256, and scopes such as "my-project:launch"."""
    jwt_jwks: str | None = None
    """URL or file of the keys that sign tokens; needs the two below."""
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_leeway: float = 30.0
    """Seconds by which the issuer's clock and this one may differ."""
    allowed_output_prefixes: tuple[str, ...] = ()
    """Where executions may write besides the server's own place, when their callers say so. Without any: only there,
    but everywhere for a server that asks for no credentials and listens on loopback or unix sockets only."""
    retention: Retention | None = None
    """How long executions are kept after their end; None: for ever."""
    audit_log: str | None = None
    """File that gets a line for each call that changes something or is refused; "-": standard error."""

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise SettingsError("--tls-cert and --tls-key belong together; give both or neither")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise SettingsError("--tls-client-ca needs a server certificate; give --tls-cert and --tls-key too")
        check_access(self)
        if self.insecure_public or self.tls_client_ca:
            return
        by_token = demands_tokens(self)
        if by_token and self.tls_cert is not None:
            return
        for address in (*self.listen, self.http):
            if not address.is_loopback:
                lacking = "encryption" if by_token else "credentials"
                raise SettingsError(
                    f"address {address} can be reached from other machines without {lacking}, and whoever reaches"
                    " it can run code; give --tls-cert and --tls-key with --tokens, --jwt-jwks or --tls-client-ca,"
                    " listen on 127.0.0.1, or accept the risk with --insecure-public"
                )

    def output_prefixes(self, own: str) -> tuple[str, ...] | None:
        """Where executions may write when `own` is the server's own place; None: everywhere."""
        is_open = all(address.is_loopback for address in self.listen)
        if is_open and not (self.allowed_output_prefixes or demands_tokens(self) or self.tls_client_ca):
            return None
        return (own, *self.allowed_output_prefixes)

    @property
    def certificate(self) -> tuple[Path, Path] | None:
        """The files of the server's certificate and its key; None: there is no TLS."""
        return (self.tls_cert, self.tls_key) if self.tls_cert is not None and self.tls_key is not None else None

    @property
    def http(self) -> Address:
        """Where uploads and downloads are answered."""
        try:
            return parse_address(self.http_address)
        except ValueError as error:
            raise SettingsError(f"--http-address: {error}") from error

    @property
    def listen(self) -> tuple[Address, ...]:
        """The addresses to listen on."""
        wanted = self.addresses or (() if self.uds else (_DEFAULT,))
        try:
            return tuple(parse_address(address) for address in wanted)
        except ValueError as error:
            raise SettingsError(f"--address: {error}") from error
