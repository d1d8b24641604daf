"""What a task shows of its work: named pieces of HTML, written as one page next to its outputs."""

import html
import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from connectory.authoring.context import TaskContext, current_context
from connectory.authoring.html_deck import HtmlDeck

__all__ = ["DECK_FILE", "Deck", "DeckField", "render_page", "standard_decks", "write_decks"]

DECK_FILE: Final = "deck.html"
_LONGEST: Final = 10_000
"""How much of a value is shown, in characters."""


class DeckField(StrEnum):
    """The decks that every task with decks has, unless it names fewer."""

    INPUT = "Input"
    OUTPUT = "Output"
    SOURCE_CODE = "Source Code"
    TIMELINE = "Timeline"
    DEPENDENCIES = "Dependencies"


class Deck(HtmlDeck):
    """One piece of the page; it joins the decks of the task that runs here, unless `auto_add_to_deck` is False."""

    def __init__(self, name: str, html: str = "", auto_add_to_deck: bool = True) -> None:
        super().__init__(name, html)
        if auto_add_to_deck:
            current_context().decks.append(self)

    @staticmethod
    def publish() -> None:
        """Write the page as it is now, for those who look while the task still runs."""
        write_decks(current_context())


def standard_decks(
    fields: Sequence[DeckField],
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any] | None,
    function: Callable[..., Any] | None,
    durations: Mapping[str, float],
) -> list[HtmlDeck]:
    """The decks that show what went in, what came out, the code in between, how long it took (in seconds), and which
    distributions were installed.
    """
    shown: list[HtmlDeck] = []
    if DeckField.SOURCE_CODE in fields and function is not None:
        shown.append(HtmlDeck(DeckField.SOURCE_CODE.value, _source(function)))
    if DeckField.INPUT in fields:
        shown.append(HtmlDeck(DeckField.INPUT.value, _table(inputs)))
    if DeckField.OUTPUT in fields and outputs is not None:
        shown.append(HtmlDeck(DeckField.OUTPUT.value, _table(outputs)))
    if DeckField.TIMELINE in fields:
        shown.append(HtmlDeck(DeckField.TIMELINE.value, _rows({step: f"{s:.3f} s" for step, s in durations.items()})))
    if DeckField.DEPENDENCIES in fields:
        shown.append(HtmlDeck(DeckField.DEPENDENCIES.value, _rows(_installed())))
    return shown


def render_page(title: str, decks: Sequence[HtmlDeck]) -> str:
    """All decks as one page that needs nothing from elsewhere."""
    links = "".join(
        f'<li><a href="#deck-{number}">{html.escape(deck.name)}</a></li>' for number, deck in enumerate(decks)
    )
    sections = "".join(
        f'<section id="deck-{number}"><h2>{html.escape(deck.name)}</h2>{deck.html}</section>'
        for number, deck in enumerate(decks)
    )
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{html.escape(title)}</title>{_STYLE}</head>'
        f"<body><h1>{html.escape(title)}</h1><nav><ul>{links}</ul></nav>{sections}</body></html>"
    )


def write_decks(context: TaskContext) -> None:
    """Write the page where the task's outputs go, or into its working directory when they go nowhere.

    Does nothing for tasks without `enable_deck`.
    """
    if not context.enable_deck:
        return
    url = context.storage.join(context.output_prefix or context.working_directory, DECK_FILE)
    context.storage.write(url, render_page(context.task_id.name or "task", context.decks).encode())
    context.logging.info("the decks of this task are at %s", url)


def _table(values: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{_shown(value)}</td></tr>" for name, value in values.items())
    return f"<table>{rows}</table>"


def _rows(texts: Mapping[str, str]) -> str:
    rows = (f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in texts.items())
    return f"<table>{''.join(rows)}</table>"


def _installed() -> dict[str, str]:
    """The version of every distribution that is installed here, by name."""
    from importlib.metadata import distributions  # noqa: PLC0415 - costs much at import

    found = {each.metadata["Name"] or "": each.version for each in distributions()}
    return {name: found[name] for name in sorted(found, key=str.lower) if name}


def _shown(value: Any) -> str:
    """A value's own HTML if it has any, such as a dataframe's; otherwise its text."""
    own = getattr(value, "_repr_html_", None)
    if callable(own) and not isinstance(value, type):
        return str(own())
    text = repr(value)
    return f"<pre>{html.escape(text if len(text) <= _LONGEST else f'{text[:_LONGEST]} ...')}</pre>"


def _source(function: Callable[..., Any]) -> str:
    try:
        return f"<pre><code>{html.escape(inspect.getsource(function))}</code></pre>"
    except (OSError, TypeError):
        return "<p>The source cannot be read here.</p>"


_STYLE = (
    "<style>body{font:15px system-ui,sans-serif;margin:2rem;max-width:70rem}nav ul{display:flex;gap:1rem;padding:0;"
    "list-style:none}section{margin:2rem 0}table{border-collapse:collapse}th,td{border:1px solid #ccc;padding:.4rem;"
    "text-align:left;vertical-align:top}pre{margin:0;white-space:pre-wrap}</style>"
)
