"""Where the parts of a stored table are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectory.errors import TypeConversionError
from connectory.storage import ObjectInfo, is_local, local_path
from connectory.types.context import ConversionContext

__all__ = ["TableSource"]


@dataclass(frozen=True, kw_only=True)
class TableSource:
    """A stored table: one object, or a folder whose objects are its parts in the order of their names."""

    uri: str
    columns: Sequence[str]
    """The columns that are wanted; empty: all."""
    ctx: ConversionContext

    def parts(self) -> Iterator[ObjectInfo]:
        """The objects that make the table. That there is none is a `TypeConversionError`."""
        single = self.ctx.storage.head(self.uri) if not self.uri.endswith("/") else None
        parts = [single] if single else sorted(self._listed(), key=lambda part: part.url)
        if not parts:
            raise TypeConversionError(f"there is no table at {self.uri}")
        yield from parts

    def _listed(self) -> Iterator[ObjectInfo]:
        for info in self.ctx.storage.list(self.uri):
            name = info.url.rpartition("/")[2]
            if not name.startswith("_") and (not name.startswith(".") or name == ".csv") and info.size:
                yield info

    def path(self, part: ObjectInfo) -> Path:
        """A part as a local file, downloaded if it is elsewhere."""
        if is_local(part.url):
            return local_path(part.url)
        return self.ctx.storage.download(part.url, self.ctx.new_local_path(part.url))
