"""What every connector that does its work within one call must do."""

from collections.abc import Callable
from typing import Any

import pytest

from connectory.connector.contract import Phase, SyncConnector
from connectory.errors import InvalidTaskError, UnsupportedError
from connectory.secrets import Secrets
from connectory.testing.fakes import FakeSecrets
from connectory.testing.harness import dispatching
from connectory.testing.tasks import TaskCall
from connectory.types import default_types

__all__ = ["SyncConnectorSuite"]

Make = Callable[[], SyncConnector[Any]]


class SyncConnectorSuite:
    """Subclass it as `Test...`, and override the fixtures `make_connector` and `good_task`."""

    pytestmark = pytest.mark.asyncio

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

    async def test_a_good_task_succeeds_with_its_declared_outputs(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            answers = [answer async for answer in dispatcher.execute(good_task.header("success"), good_task.inputs)]
        resource = answers[0].header.resource
        assert Phase(resource.phase) is Phase.SUCCEEDED, resource.message
        if resource.HasField("outputs"):
            default_types().check_map(resource.outputs, good_task.template.interface.outputs)

    async def test_the_outputs_follow_the_header(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            answers = [answer async for answer in dispatcher.execute(good_task.header("order"), good_task.inputs)]
        assert [answer.WhichOneof("res") for answer in answers] in (["header"], ["header", "outputs"])
        if len(answers) == 2:
            assert answers[1].outputs == answers[0].header.resource.outputs

    async def test_a_config_field_that_nobody_knows_is_named(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            if dispatcher.registry.get(good_task.category).config_type is dict:
                pytest.skip("the connector takes any config")
            header = good_task.header()
            header.template.custom["no_such_field"] = 1
            with pytest.raises(InvalidTaskError, match="no_such_field") as refused:
                _ = [answer async for answer in dispatcher.execute(header, good_task.inputs)]
        assert "custom.no_such_field" in refused.value.fields

    async def test_an_undeclared_input_is_named(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        good_task.inputs.literals["no_such_input"].scalar.primitive.integer = 1
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            with pytest.raises(InvalidTaskError, match="no_such_input"):
                _ = [answer async for answer in dispatcher.execute(good_task.header(), good_task.inputs)]

    async def test_creating_a_job_with_it_says_what_to_call(
        self, make_connector: Make, good_task: TaskCall, secrets: Secrets
    ) -> None:
        async with dispatching(make_connector(), secrets=secrets) as dispatcher:
            with pytest.raises(UnsupportedError, match="ExecuteTaskSync"):
                await dispatcher.create(good_task.create_request())
