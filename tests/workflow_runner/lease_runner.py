"""A runner process that shares its store with others: starts executions or goes on with those of others."""

import asyncio
import sys

from connectory.client.connector import ConnectorClient
from connectory.errors import StoreError
from tests.workflow_runner.crash_runner import EXECUTION, busy
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.contract import Store
from workflow_runner.store.opening import open_store
from workflow_runner.store.postgres import PostgresStore
from workflow_runner.store.sqlite import SqliteStore


async def main(url: str, target: str, owner: str, start: str, expect: str) -> None:
    """Start the executions of these numbers, then wait until those of the other numbers have ended.

    With the owner "patient" the store's troubles are told, and waited through. "hasty" waits a second for PostgreSQL.
    """
    patient = owner == "patient"
    store: Store = open_store(url, owner=owner)
    if patient and url.startswith("sqlite:///"):
        store = SqliteStore(url.removeprefix("sqlite:///"), busy_timeout=0.2)
    if owner == "hasty":
        store = PostgresStore(url, patience=1.0, answer_within=1.0, owner=owner)
    plugins = [connector_plugin([ConnectorClient(target)])]
    async with Runner(store, plugins, lease=2.0, adopt=True) as runner:
        say("up")
        for number in start:
            await runner.start(busy(), execution_id=f"{EXECUTION}-{number}")
        say("started")
        await asyncio.gather(*(_wait(runner, f"{EXECUTION}-{number}", patient) for number in expect))


async def _wait(runner: Runner, execution: str, patient: bool) -> None:
    told = ""
    while True:
        try:
            result = await runner.wait(execution)
            break
        except StoreError as error:
            if told != str(error):
                say(f"{execution} {type(error).__name__}: {error}")
            if not patient:
                return
            told = str(error)
            await asyncio.sleep(0.05)
    output = result.outputs.literals["o"].scalar.primitive.integer if result.outputs is not None else None
    say(f"{execution} {result.phase} {output}")


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
