"""Tasks as a container finds them: by the name of this module."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectory.authoring import Interface, PythonTask, Secret, current_context, dynamic, eager, map_task, task
from connectory.authoring.customized_container import PythonCustomizedContainerTask
from connectory.authoring.decks import Deck
from connectory.authoring.errors import IgnoreOutputs
from connectory.authoring.pod_template import PodTemplate
from connectory.authoring.resolver import TaskResolverMixin
from connectory.authoring.shim import ShimTaskExecutor
from connectory.compat import TaskTemplate
from connectory.errors import StorageError
from connectory.types import File, OutputMetadata


@dataclass
class Row:
    """A value with parts."""

    name: str
    count: int


@task(retries=2)
def describe(row: Row, factor: int = 2) -> str:
    return f"{row.name}: {row.count * factor}"


@task
async def later(a: int) -> tuple[int, str]:
    return a + 1, str(a)


@task
def noted(a: int) -> list[int]:
    values = [a]
    current_context().output_metadata_tracker.add(values, OutputMetadata(entries={"quality": "good"}))
    return values


@task
def fail(a: int) -> int:
    raise ValueError(f"{a} is not my number")


@task
def unreachable(a: int) -> int:
    raise StorageError(f"s3://bucket/{a} cannot be read: the network is gone")


@task
def lie(a: int) -> int:
    return "no number"  # type: ignore[return-value]


@task
def leave(a: int) -> int:
    sys.exit(a)


@task
def ignore(a: int) -> int:
    raise IgnoreOutputs(f"worker {a} is not the first")


@task
def whoami() -> str:
    context = current_context()
    context.stats.inc("asked")
    return f"{context.execution_id.name} {context.task_id.name} {context.attempt}"


@task
def in_threads() -> bool:
    with ThreadPoolExecutor(2) as pool:
        return all(pool.submit(current_context).result() is current_context() for _ in range(4))


@task
def count_on(a: int) -> int:
    checkpoint = current_context().checkpoint
    before = int(checkpoint.read() or b"0")
    checkpoint.write(str(before + a).encode())
    return before


@task
def write(text: str) -> File:
    path = Path(current_context().working_directory, "text.txt")
    path.write_text(text)
    return File(str(path))


@task(enable_deck=True)
def show(a: int) -> int:
    current_context().default_deck.append("<b>bold</b>")
    Deck("mine", f"<i>{a}</i>")
    if a < 0:
        raise ValueError("less than nothing")
    return a


@task(secret_requests=[Secret(group="db", key="password")])
def secret() -> int:
    return len(current_context().secrets.get("db", "password"))


@task
def double(a: int) -> int:
    return a * 2


@task
def forever(a: int) -> int:
    print(f"begun with {a}", flush=True)
    threading.Event().wait()
    return a


@eager
async def quadruple(a: int) -> int:
    return double(a=double(a=a))


@eager
async def careful(a: int) -> str:
    try:
        return str(fail(a=a))
    except ValueError as error:
        return f"caught: {error}"


doubles = map_task(double)


@dynamic
def doubled_often(a: int) -> int:
    for _ in range(a):
        a = double(a=a)
    return a


@task(pod_template=PodTemplate(pod_spec={"nodeSelector": {"disk": "fast"}}))
def in_a_pod(a: int) -> int:
    return a


class Length(ShimTaskExecutor):
    """Knows nothing but the template."""

    def execute_from_model(self, tt: TaskTemplate, **kwargs: Any) -> Any:
        return {"size": len(kwargs["text"]) * tt.custom["factor"]}


class LengthTask(PythonCustomizedContainerTask[int]):
    """How long a text is, times a factor."""

    def __init__(self, name: str, factor: int) -> None:
        super().__init__(
            name,
            factor,
            "length:1",
            Length,
            task_type="length",
            interface=Interface({"text": str}, {"size": int}),
        )

    def get_custom(self, settings: Any) -> dict[str, Any]:
        return {"factor": self.task_config}


length = LengthTask("length", 3)


class Doubling(PythonTask[int]):
    """A task that only its resolver can make."""

    def __init__(self, times: int) -> None:
        super().__init__("doubling", f"times{times}", times, Interface({"a": int}, {"b": int}), task_resolver=by_number)

    def execute(self, **kwargs: Any) -> int:
        return kwargs["a"] * self.task_config


class ByNumber(TaskResolverMixin):
    """Finds tasks by a number, in the way of Flyte's resolvers."""

    def loader_args(self, settings: Any, t: Any) -> list[str]:
        return ["times", str(t.task_config)]

    def load_task(self, loader_args: Any) -> Doubling:
        return Doubling(int(loader_args[1]))


by_number = ByNumber()
