"""Text as it can cross the wire."""

__all__ = ["sendable"]


def sendable(text: str) -> str:
    """The text, with ? for what is no character: the rest of bytes that were not in the encoding they were read by."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
