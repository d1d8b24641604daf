"""Of which project a job is, as its handle says, because the calls that follow a create do not."""

import msgspec

__all__ = ["project_of", "with_project"]


class _Named(msgspec.Struct):
    project: str = ""


_decoder = msgspec.json.Decoder(_Named)


def with_project(handle: bytes, project: str) -> bytes:
    """The handle, an object of JSON, with one more field; without a project it stays what it is."""
    if not project:
        return handle
    return b'%s,"project":%s}' % (handle[:-1], msgspec.json.encode(project))


def project_of(handle: bytes) -> str:
    """Empty: it says none, or is no handle."""
    try:
        return _decoder.decode(handle).project
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
