"""Secrets in a connector's process: each is asked of the server, which decides and remembers as for its own."""

from google.rpc import status_pb2

from connector_server.isolation.channel import Channel
from connector_server.isolation.messages import SecretAnswer, SecretWanted
from connectory.connector.status import from_status, to_status
from connectory.errors import MissingSecretError
from connectory.rpc.failures import as_connector_error
from connectory.secrets import Secrets

__all__ = ["CallSecrets", "answered"]


class CallSecrets:
    """The secrets that one call may read."""

    __slots__ = ("_call", "_channel")

    def __init__(self, channel: Channel, call: str) -> None:
        self._channel = channel
        self._call = call

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        answer = self._channel.ask(self._call, key, group, version)
        if answer.refused:
            raise from_status(status_pb2.Status.FromString(answer.refused))
        if answer.missing:
            raise MissingSecretError(answer.missing)
        return answer.value


def answered(wanted: SecretWanted, secrets: Secrets | None) -> SecretAnswer:
    """What the server says to a child that wants a secret; `secrets` is what the call may read, None once it ended."""
    if secrets is None:
        return SecretAnswer(number=wanted.number, missing="secrets can be read during a call, and this one has ended")
    try:
        value = secrets.get(wanted.key, group=wanted.group, version=wanted.version)
        if not _is_text(value):
            raise MissingSecretError(
                f"the secret {wanted.key!r} is not text in UTF-8, so no other process can be told; write it in base64"
            )
        return SecretAnswer(number=wanted.number, value=value)
    except MissingSecretError as error:
        return SecretAnswer(number=wanted.number, missing=str(error))
    except Exception as error:
        return SecretAnswer(number=wanted.number, refused=to_status(as_connector_error(error)).SerializeToString())


def _is_text(value: str) -> bool:
    """Whether it came from bytes that are text; others have a stand-in for each byte, which cannot be written again."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
