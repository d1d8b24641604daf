"""Text as it can cross the wire."""

__all__ = ["clipped", "sendable"]


def sendable(text: str) -> str:
    """The text, with ? for what is no character: the rest of bytes that were not in the encoding they were read by."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters of it, from its beginning and its end, and between them how many are left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
