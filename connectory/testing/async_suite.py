"""What every connector that starts jobs must do, whatever stands behind it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from connectory.connector.contract import AsyncConnector, Phase
from connectory.connector.creations import Creation
from connectory.connector.dispatch import Dispatcher
from connectory.connector.ledger import MemoryLedger
from connectory.connector.ledger.contract import Create, Find, Undo
from connectory.errors import AlreadyExistsError, InvalidTaskError, NotFoundError, UnsupportedError
from connectory.secrets import Secrets
from connectory.testing.fakes import FakeSecrets
from connectory.testing.harness import dispatching, run_job
from connectory.testing.tasks import TaskCall
from connectory.types import default_types

__all__ = ["AsyncConnectorSuite"]

Make = Callable[[], AsyncConnector[Any, Any]]


class AsyncConnectorSuite:
    """Subclass it as `Test...`, and override the fixtures `make_connector` and `good_task`.

    `make_connector` gives a function that makes a new instance, as a restarted server would; `good_task` is a task that
    succeeds within `time_limit` seconds and, if it can be had, runs for a moment first. `secrets` is what it
    reads secrets from; `unknown_job` is a handle object of a job that never existed.
    """

    pytestmark = pytest.mark.asyncio

    time_limit: float = 30.0

    @pytest.fixture
    def make_connector(self) -> Make:
        """Makes the connector under test."""
        raise NotImplementedError("override the fixture make_connector")

    @pytest.fixture
    def good_task(self) -> TaskCall:
        """A task that succeeds."""
        raise NotImplementedError("override the fixture good_task")

    @pytest.fixture
    def secrets(self) -> Secrets:
        """The secrets that the connector may read."""
        return FakeSecrets()

    @pytest.fixture
    def unknown_job(self) -> Any:
        """A handle object of a job that never existed; None skips the tests that need it."""
        return None

    async def test_a_good_task_succeeds_with_its_declared_outputs(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            handle = await _create(dispatcher, good_task, "success")
            resource = await run_job(dispatcher, good_task, handle, timeout=self.time_limit)
            await dispatcher.delete(good_task.delete_request(handle))
        assert Phase(resource.phase) is Phase.SUCCEEDED, resource.message
        if resource.HasField("outputs"):
            default_types().check_map(resource.outputs, good_task.template.interface.outputs)

    async def test_creating_twice_with_one_key_gives_one_job(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            first = await _create(dispatcher, good_task, "twice")
            second = await _create(dispatcher, good_task, "twice")
            await dispatcher.delete(good_task.delete_request(first))
        assert first == second

    async def test_the_same_key_with_another_request_is_refused(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            handle = await _create(dispatcher, good_task, "other")
            request = good_task.create_request("other")
            request.template.id.name += "_other"
            with pytest.raises(AlreadyExistsError, match="template"):
                await dispatcher.create(request)
            await dispatcher.delete(good_task.delete_request(handle))

    async def test_a_restarted_server_finds_the_job_by_its_handle(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            handle = await _create(dispatcher, good_task, "restart")
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            resource = await run_job(dispatcher, good_task, handle, timeout=self.time_limit)
            await dispatcher.delete(good_task.delete_request(handle))
        assert Phase(resource.phase) is Phase.SUCCEEDED, resource.message

    async def test_deleting_a_job_twice_is_no_error(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            handle = await _create(dispatcher, good_task, "delete-twice")
            await dispatcher.delete(good_task.delete_request(handle))
            await dispatcher.delete(good_task.delete_request(handle))

    async def test_deleting_a_job_that_has_ended_is_no_error(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            handle = await _create(dispatcher, good_task, "delete-ended")
            await run_job(dispatcher, good_task, handle, timeout=self.time_limit)
            await dispatcher.delete(good_task.delete_request(handle))

    async def test_a_deleted_job_has_ended_or_is_unknown(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            handle = await _create(dispatcher, good_task, "get-deleted")
            await dispatcher.delete(good_task.delete_request(handle))
            try:
                resource = await run_job(dispatcher, good_task, handle, timeout=self.time_limit)
            except NotFoundError:
                return
        assert Phase(resource.phase).is_terminal

    async def test_a_job_that_never_existed(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets, unknown_job: Any
    ) -> None:
        if unknown_job is None:
            pytest.skip("the suite was given no unknown_job")
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            codec = dispatcher.registry.get(good_task.category).codec
            handle = codec.encode(str(good_task.category), unknown_job, b"")
            await dispatcher.delete(good_task.delete_request(handle))
            with pytest.raises(NotFoundError):
                await dispatcher.get(good_task.get_request(handle))

    @pytest.mark.parametrize("garbage", [b"", b"\xff\x00", b"{}", b"[]", b"null", b'{"v":1}', b"\x80\x04K\x01."])
    async def test_a_handle_that_is_none_is_refused(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets, garbage: bytes
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            with pytest.raises(InvalidTaskError, match="handle"):
                await dispatcher.get(good_task.get_request(garbage))
            with pytest.raises(InvalidTaskError, match="handle"):
                await dispatcher.delete(good_task.delete_request(garbage))

    async def test_a_handle_of_a_newer_server_is_refused(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            handle = await _create(dispatcher, good_task, "newer")
            newer = json.dumps({**json.loads(handle), "v": 1_000_000}).encode()
            with pytest.raises(InvalidTaskError, match="newer"):
                await dispatcher.get(good_task.get_request(newer))
            await dispatcher.delete(good_task.delete_request(handle))

    async def test_the_handle_is_readable_json_without_secrets(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            handle = await _create(dispatcher, good_task, "readable")
            await dispatcher.delete(good_task.delete_request(handle))
        assert isinstance(json.loads(handle)["job"], dict)
        if isinstance(secrets, FakeSecrets):
            assert not [key for key, value in secrets.values.items() if value in handle.decode()]

    async def test_a_config_field_that_nobody_knows_is_named(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        connector = make_connector()
        async with dispatching(connector, secrets=secrets) as dispatcher:
            if dispatcher.registry.get(good_task.category).config_type is dict:
                pytest.skip("the connector takes any config")
            request = good_task.create_request("unknown-field")
            request.template.custom["no_such_field"] = 1
            with pytest.raises(InvalidTaskError, match="no_such_field") as refused:
                await dispatcher.create(request)
        assert "custom.no_such_field" in refused.value.fields

    async def test_an_undeclared_input_is_named(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        request = good_task.create_request("unknown-input")
        request.inputs.literals["no_such_input"].scalar.primitive.integer = 1
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            with pytest.raises(InvalidTaskError, match="no_such_input"):
                await dispatcher.create(request)

    async def test_calling_it_as_a_sync_connector_says_what_to_call(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            with pytest.raises(UnsupportedError, match="CreateTask"):
                _ = [answer async for answer in dispatcher.execute(good_task.header(), good_task.inputs)]

    async def test_a_key_that_was_never_used_finds_nothing(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets, ledger=_OnlyFinds()) as dispatcher:
            if "find" not in dispatcher.registry.get(good_task.category).operations:
                pytest.skip("the connector offers no find")
            with pytest.raises(NotFoundError, match="nothing was found"):
                await dispatcher.create(good_task.create_request("never-used"))

    async def test_the_log_goes_on_where_it_was_left(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            if dispatcher.registry.get(good_task.category).logs is None:
                pytest.skip("the connector offers no logs")
            handle = await _create(dispatcher, good_task, "logs")
            await run_job(dispatcher, good_task, handle, timeout=self.time_limit)
            whole, _ = await _lines(dispatcher, good_task, handle)
            first, token = await _lines(dispatcher, good_task, handle, lines=1)
            rest = (await _lines(dispatcher, good_task, handle, token=token))[0] if token else []
            await dispatcher.delete(good_task.delete_request(handle))
        assert len(first) <= 1
        assert first + rest == whole


class _OnlyFinds(MemoryLedger):
    """A ledger that takes every create for one that was interrupted, and only looks for it."""

    async def once(
        self, creation: Creation, create: Create, find: Find | None = None, undo: Undo | None = None
    ) -> bytes:
        found = None if find is None else await find()
        if found is None:
            raise NotFoundError(f"nothing was found under {creation.key}")
        return found


async def _create(dispatcher: Dispatcher, task: TaskCall, key: str) -> bytes:
    return (await dispatcher.create(task.create_request(key))).resource_meta


async def _lines(
    dispatcher: Dispatcher, task: TaskCall, handle: bytes, *, lines: int = 0, token: str = ""
) -> tuple[list[str], str]:
    read: list[str] = []
    async for answer in dispatcher.logs(task.logs_request(handle, lines=lines, token=token)):
        read.extend(line.message for line in answer.body.structured_lines)
        if answer.HasField("header"):
            token = answer.header.token
    return read, token
