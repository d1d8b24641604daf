"""Text as databases take it."""

__all__ = ["storable"]


def storable(text: str) -> str:
    """The text without what PostgreSQL or UTF-8 cannot keep."""
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
