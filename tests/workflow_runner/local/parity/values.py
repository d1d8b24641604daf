"""Values on their way through nodes: files, tables, records, parts of them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from connectory.authoring import IgnoreOutputs, current_context, task, workflow
from connectory.authoring.decks import Deck
from connectory.types import Directory, File
from tests.workflow_runner.local.parity.both import Case
from tests.workflow_runner.local.parity.log import done


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Size:
    width: int
    names: list[str]


@task
def written(text: str) -> File:
    path = Path(current_context().working_directory, "text")
    path.write_text(text)
    return File(str(path))


@task
def read(file: File) -> str:
    return Path(file).read_text().upper()


@task
def folder(text: str) -> Directory:
    root = Path(current_context().working_directory, "folder")
    root.mkdir()
    for name in ("a", "b"):
        (root / name).write_text(text + name)
    return Directory(str(root))


@workflow
def files(text: str) -> tuple[str, File, Directory]:
    file = written(text=text)
    return read(file=file), file, folder(text=text)


def _contents(outputs: list[Any]) -> Any:
    text, file, directory = outputs
    return text, Path(file).read_text(), sorted(path.read_text() for path in Path(directory).iterdir())


@task
def table(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"n": list(range(rows))})


@task
def total(frame: pd.DataFrame) -> int:
    return int(frame["n"].sum())


@workflow
def tables(rows: int) -> tuple[int, pd.DataFrame]:
    frame = table(rows=rows)
    return total(frame=frame), frame


@task
def sized(width: int) -> Size:
    return Size(width=width, names=["x", "y"])


@task
def several(n: int) -> dict[str, list[int]]:
    return {"up": list(range(n)), "down": list(range(n, 0, -1))}


@task
def shown(width: int, name: str, last: int, colour: Colour, when: datetime, span: timedelta | None = None) -> str:
    return f"{width} {name} {last} {colour.value} {when.isoformat()} {span}"


@workflow
def parts(n: int, colour: Colour, when: datetime) -> str:
    size, lists = sized(width=n), several(n=n)
    return shown(width=size.width, name=size.names[1], last=lists["down"][0], colour=colour, when=when)


@workflow
def parts_that_are_missing(n: int) -> str:
    lists = several(n=n)
    return shown(width=1, name="x", last=lists["up"][3], colour=Colour.RED, when=datetime(2026, 1, 1, tzinfo=UTC))


@task
def not_mine() -> int:
    done("ran")
    raise IgnoreOutputs("somebody else's result counts")


@workflow
def nothing_needed() -> None:
    not_mine()


@workflow
def nothing_to_give() -> int:
    return not_mine()


@task(cache=True, cache_version="1")
def cached_and_ignored(a: int) -> int:
    done("ran")
    raise IgnoreOutputs("somebody else's result counts")


@workflow
def ignored_twice(a: int) -> None:
    cached_and_ignored(a=a) >> cached_and_ignored(a=a)


@task(enable_deck=True)
def decked(a: int) -> int:
    Deck("numbers", f"<p>{a}</p>")
    return a


@workflow
def with_a_deck(a: int) -> int:
    return decked(a=a)


CASES = [
    Case(flow=files, inputs={"text": "some"}, look=_contents),
    Case(flow=tables, inputs={"rows": 4}, look=lambda outputs: (outputs[0], outputs[1]["n"].to_list())),
    Case(flow=parts, inputs={"n": 3, "colour": Colour.BLUE, "when": datetime(2026, 1, 1, tzinfo=UTC)}),
    Case(flow=parts_that_are_missing, inputs={"n": 3}),
    Case(flow=nothing_needed),
    Case(flow=nothing_to_give),
    Case(flow=ignored_twice, inputs={"a": 1}),
    Case(flow=with_a_deck, inputs={"a": 3}),
]
