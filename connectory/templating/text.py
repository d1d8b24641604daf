"""Templates of plain text."""

import re
from collections.abc import Mapping
from typing import Any

from connectory.secrets import Secrets
from connectory.templating.placeholders import PLACEHOLDER, Variables
from connectory.templating.values import as_text

__all__ = ["render"]


def render(
    text: str,
    *,
    inputs: Mapping[str, Any],
    output_prefix: str = "",
    raw_output_prefix: str = "",
    retry_key: str = "",
    secrets: Secrets | None = None,
) -> str:
    """The text with each placeholder replaced by the value that it names.

    What a value contains is never looked at again: braces in it stay braces. A name that stands for nothing is an
    `InvalidTaskError` that says what there is; a secret that is nowhere is a `MissingSecretError`. Values are put in as
    they are: for queries use `bind`, which keeps values out of the text.
    """
    variables = Variables(
        inputs=inputs,
        output_prefix=output_prefix,
        raw_output_prefix=raw_output_prefix,
        retry_key=retry_key,
        secrets=secrets,
    )
    variables.check_spelling(text)

    def replace(match: re.Match[str]) -> str:
        name = variables.canonical(match["name"])
        return as_text(f".{name}", variables.value(name))

    return PLACEHOLDER.sub(replace, text)
