"""Containers that the tests run. Their programs are those that every machine has."""

from connectory import ContainerTask, dynamic, task, workflow
from connectory.types import Directory, File

ADD = """
set -e
a=$(cat /var/in/a); b=$(cat /var/in/b)
echo $((a + b)) > /var/out/total
printf '%s' "$1" > /var/out/said
"""

add = ContainerTask(
    "add",
    "busybox",
    ["sh", "-c", ADD, "add", "{{.inputs.words}} in /var/in"],
    inputs={"a": int, "b": int, "words": str},
    outputs={"total": int, "said": str},
    input_data_dir="/var/in",
    output_data_dir="/var/out",
)
many = ContainerTask(
    "many",
    "busybox",
    [
        "sh",
        "-c",
        "set -e; mkdir /var/out/made; cp /var/in/given /var/out/made/copy; ls /var/in > /var/out/listed;"
        "cat {{.inputs.given}} /var/in/numbers > /var/out/joined; cp /var/in/inputs.json /var/out/whole",
    ],
    inputs={"given": File, "numbers": list[int]},
    outputs={"made": Directory, "listed": str, "joined": File, "whole": dict},
    input_data_dir="/var/in",
    output_data_dir="/var/out",
)
failing = ContainerTask("failing", "busybox", ["sh", "-c", "echo no luck >&2; exit 3"])
refusing = ContainerTask(
    "refusing",
    "busybox",
    ["sh", "-c", "echo the table is empty > /var/out/_ERROR"],
    outputs={"x": int},
    output_data_dir="/var/out",
)
silent = ContainerTask("silent", "busybox", ["true"], outputs={"x": int}, output_data_dir="/var/out")
wrong = ContainerTask(
    "wrong", "busybox", ["sh", "-c", "echo seven > /var/out/x"], outputs={"x": int}, output_data_dir="/var/out"
)
patient = ContainerTask(
    "patient",
    "busybox",
    [
        "sh",
        "-c",
        'echo x >> "$0/runs"; while [ ! -e "$0/go" ]; do sleep 0.02; done; cat "$0/go" > /var/out/said',
        "{{.inputs.folder}}",
    ],
    inputs={"folder": str},
    outputs={"said": str},
    output_data_dir="/var/out",
)
absent = ContainerTask("absent", "busybox", ["no-such-program-anywhere"])


@workflow
def adds(a: int, b: int, words: str) -> tuple[int, str]:
    return add(a=a, b=b, words=words)


@workflow
def joins(given: File, numbers: list[int]) -> tuple[Directory, str, File, dict]:
    return many(given=given, numbers=numbers)


@workflow
def fails() -> None:
    failing()


@workflow
def refuses() -> int:
    return refusing()


@workflow
def says_nothing() -> int:
    return silent()


@workflow
def is_wrong() -> int:
    return wrong()


@workflow
def waits(folder: str) -> str:
    return patient(folder=folder)


@workflow
def is_absent() -> None:
    absent()


@task
def halve(x: int) -> int:
    if x % 2:
        raise ValueError(f"{x} is odd")
    return x // 2


@dynamic
def halve_often(x: int, times: int) -> int:
    for _ in range(times):
        x = halve(x=x)
    return x


@workflow
def halves(x: int) -> int:
    return halve(x=x)


@workflow
def halves_often(x: int, times: int) -> int:
    return halve_often(x=x, times=times)
