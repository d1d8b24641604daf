"""What may stand between double braces, and what each name stands for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connectory.errors import InvalidTaskError
from connectory.secrets import Secrets

__all__ = ["PLACEHOLDER", "Variables"]

PLACEHOLDER: Final = re.compile(r"\{\{\s*\.(?P<name>[A-Za-z_][\w.-]*)\s*\}\}")
"""A placeholder: braces, a dot, a name. Other text in double braces belongs to somebody else and stays as it is."""

_DOTLESS: Final = re.compile(r"\{\{\s*(?P<name>(?:inputs|secrets)\.[\w.-]+)\s*\}\}", re.IGNORECASE)

_PREFIXES: Final = {
    "outputprefix": "output_prefix",
    "rawoutputdataprefix": "raw_output_prefix",
    "rawoutputprefix": "raw_output_prefix",
    "perretryuniquekey": "retry_key",
}
_SPELLINGS: Final = {
    "output_prefix": ".outputPrefix",
    "raw_output_prefix": ".rawOutputDataPrefix",
    "retry_key": ".perRetryUniqueKey",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Variables:
    """Everything that a template may name."""

    inputs: Mapping[str, Any]
    output_prefix: str = ""
    raw_output_prefix: str = ""
    retry_key: str = ""
    secrets: Secrets | None = field(default=None, repr=False)

    def canonical(self, name: str) -> str:
        """One spelling per variable: `inputs.x`, `secrets.key`, `secrets.group.key`, `output_prefix` and so on.

        A name that stands for nothing is an `InvalidTaskError` that says what there is.
        """
        room, dot, rest = name.partition(".")
        if dot and room.lower() == "inputs" and rest in self.inputs:
            return f"inputs.{rest}"
        if dot and room.lower() == "secrets" and rest and self.secrets is not None:
            return f"secrets.{rest}"
        attribute = _PREFIXES.get(name.lower().replace("_", ""))
        if attribute is not None and getattr(self, attribute):
            return attribute
        raise self._unknown(name)

    def value(self, canonical: str) -> Any:
        """What a variable stands for, by its canonical name."""
        room, dot, rest = canonical.partition(".")
        if not dot:
            return getattr(self, canonical)
        if room == "inputs":
            return self.inputs[rest]
        if self.secrets is None:
            raise self._unknown(canonical)
        group, _, key = rest.rpartition(".")
        return self.secrets.get(key, group=group or None)

    def check_spelling(self, text: str) -> None:
        """A variable that lacks its dot is an `InvalidTaskError`, since it would silently stay as it is."""
        found = _DOTLESS.search(text)
        if found is not None:
            raise InvalidTaskError(f"{found[0]} lacks the dot before its name; write {{{{ .{found['name']} }}}}")

    def _names(self) -> Iterable[str]:
        yield from (f".inputs.{name}" for name in sorted(self.inputs))
        yield from (spelling for attribute, spelling in _SPELLINGS.items() if getattr(self, attribute))
        if self.secrets is not None:
            yield ".secrets.KEY"

    def _unknown(self, name: str) -> InvalidTaskError:
        there_are = ", ".join(self._names()) or "none"
        return InvalidTaskError(
            f"the template names {{{{ .{name} }}}}, which stands for nothing here; variables there are: {there_are}",
            reason="UNKNOWN_VARIABLE",
        )
