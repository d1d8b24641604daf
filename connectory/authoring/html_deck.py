"""A named piece of HTML."""

__all__ = ["HtmlDeck"]


class HtmlDeck:
    """A title, and the HTML that is shown under it."""

    def __init__(self, name: str, html: str = "") -> None:
        self._name = name
        self._html = html

    @property
    def name(self) -> str:
        """The title under which it is shown."""
        return self._name

    @property
    def html(self) -> str:
        """What it shows."""
        return self._html

    def append(self, html: str) -> "HtmlDeck":
        """Show more."""
        if not isinstance(html, str):
            raise TypeError(f"a deck shows HTML text, not a {type(html).__name__}")
        self._html = f"{self._html}\n{html}"
        return self
