"""A command on the connector server's machine, and a Python task that reads what it said."""

from connectory import ProcessTask, kwtypes, task, workflow

greeting = ProcessTask(
    "greeting",
    command=["/bin/echo", "hello {{ .inputs.name }}"],
    inputs=kwtypes(name=str),
    outputs=kwtypes(stdout=str),
)


@task
def shout(text: str) -> str:
    return text.strip().upper() + "!"


@workflow
def quickstart(name: str) -> str:
    """Greet somebody."""
    return shout(text=greeting(name=name))
