"""Handles on the wire: JSON with a schema version, readable by people, never executable."""

import zlib
from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from connectory.connector.contract import AsyncConnector
from connectory.connector.operations import is_offered
from connectory.connector.shapes import require_json
from connectory.errors import InvalidTaskError, RegistryError

__all__ = ["BringsHandles", "HandleCodec", "Handles", "Head", "checked_head"]


_CHECK: Final = b',"check":'


class Handles(Protocol):
    """How the handles of one connector are written and read."""

    def encode(self, label: str, job: Any, outputs: bytes) -> bytes:
        """The handle as bytes, for the category written so, of a job whose task declares these outputs."""
        ...

    def decode(self, label: str, data: bytes) -> tuple[Any, bytes]:
        """The job and its declared outputs. What is no handle of this category is an `InvalidTaskError`."""
        ...

    def completed(self, label: str, job: bytes, outputs: bytes) -> bytes:
        """The handle as bytes, of a job as a person wrote it down in JSON; a `DecodeError` when it does not fit."""
        ...


@runtime_checkable
class BringsHandles(Protocol):
    """A connector that stands for another, which writes and reads the handles itself."""

    handles: Handles


class Head(msgspec.Struct):
    """What can be read of a handle without its connector."""

    v: int
    category: str
    job: dict[str, Any]
    outputs: bytes = b""
    check: int | None = None


class HandleCodec:
    """Writes and reads the handles of one connector.

    The envelope is {"v": schema version, "category": "name@version", "job": the connector's handle, "outputs": base64
    of the declared outputs as a VariableMap, left out when nothing is declared, "check": CRC-32 of all before it}. The
    outputs travel along because the calls that follow a create carry no template, and the check so that a handle that
    was changed on its way is not taken for a connector's mistake. It is no signature: whoever wants to can make one.
    """

    def __init__(self, connector: AsyncConnector[Any, Any], handle_type: Any) -> None:
        require_json(handle_type)
        self._connector = connector
        self._type = handle_type
        self._version = connector.handle_version
        if self._version < 1:
            raise RegistryError(f"{type(connector).__qualname__}.handle_version is {self._version}; the first is 1")
        if self._version > 1 and not is_offered(connector, "upgrade"):
            raise RegistryError(
                f"{type(connector).__qualname__}.handle_version is {self._version}, "
                "but it has no `upgrade` for older handles"
            )
        fields: list[Any] = [
            ("v", int),
            ("category", str),
            ("job", handle_type),
            ("outputs", bytes, b""),
            ("check", int | None, None),
        ]
        envelope: Any = msgspec.defstruct("Handle", fields, omit_defaults=True)
        self._envelope = envelope
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(envelope)
        self._encoder = msgspec.json.Encoder()

    def encode(self, label: str, job: Any, outputs: bytes) -> bytes:
        """The handle as bytes, for the category written so. A job that JSON cannot hold is a TypeError."""
        data = self._encoder.encode(self._envelope(self._version, label, job, outputs))
        return b"%s%s%d}" % (data[:-1], _CHECK, zlib.crc32(data))

    def decode(self, label: str, data: bytes) -> tuple[Any, bytes]:
        """The job and its declared outputs. What is no handle of this category and version is an `InvalidTaskError`."""
        try:
            envelope = self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return self._decode_older(label, data, error)
        if envelope.v != self._version:
            return self._decode_older(label, data, None)
        if envelope.category != label:
            raise _invalid(f"it belongs to {envelope.category}, and the request names {label}", "category")
        _require_unchanged(data, envelope.check)
        return envelope.job, envelope.outputs

    def completed(self, label: str, job: bytes, outputs: bytes) -> bytes:
        """The handle as bytes, of a job as a person wrote it down in JSON; a `DecodeError` when it does not fit."""
        return self.encode(label, msgspec.json.decode(job, type=self._type), outputs)

    def _decode_older(self, label: str, data: bytes, reason: Exception | None) -> tuple[Any, bytes]:
        head = checked_head(label, data, self._version)
        if head.v == self._version or head.v < 1:
            raise _invalid(f"its job does not fit ({reason or 'no such version'})", "job") from reason
        _require_unchanged(data, head.check)
        return self._upgraded(head), head.outputs

    def _upgraded(self, head: Head) -> Any:
        try:
            return msgspec.convert(self._connector.upgrade(head.job, head.v), self._type)
        except (msgspec.ValidationError, LookupError, ValueError, TypeError) as error:
            text = f"version {head.v} could not be upgraded to {self._version} ({type(error).__name__})"
            raise _invalid(text, "job") from error


def _require_unchanged(data: bytes, check: int | None) -> None:
    """Handles of earlier servers have no check."""
    if check is not None and zlib.crc32(data[: data.rfind(_CHECK)] + b"}") != check:
        raise _invalid("it was changed since it was given out", "check")


def checked_head(label: str, data: bytes, version: int) -> Head:
    """The head of a handle of this category; no handle, or one newer than `version`, is an `InvalidTaskError`."""
    try:
        head = msgspec.json.decode(data, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid(f"it is no handle of this service ({error})") from error
    if head.category != label:
        raise _invalid(f"it belongs to {head.category}, and the request names {label}", "category")
    if head.v > version:
        raise _invalid(
            f"its schema version {head.v} is newer than {version}, the newest that this server knows; "
            "send it to the server that created it, or upgrade this one",
            "v",
        )
    return head


def _invalid(sentence: str, field: str = "") -> InvalidTaskError:
    path = f"resource_meta.{field}" if field else "resource_meta"
    return InvalidTaskError(f"the handle cannot be used: {sentence}", reason="INVALID_HANDLE", fields={path: sentence})
