"""People are told once how an execution ended, by whichever runner, and again only when it was not sent."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from connectory.v1 import control_pb2, execution_pb2, launch_plan_pb2
from tests.workflow_runner.control.flows import FAILED, diamond
from tests.workflow_runner.control.harness import Control, plan_of, register, request_of, serving
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import integer
from workflow_runner.notifications.messages import Notice, NotSentError
from workflow_runner.notifications.notifier import Notifier

Phase = execution_pb2.WorkflowExecution


class Post:
    """Keeps what it is given, unless it is to refuse it; a None among the refusals lets one pass."""

    def __init__(self, *refusals: NotSentError | None) -> None:
        self.sent: list[Notice] = []
        self.refusals = list(refusals)

    async def send(self, notice: Notice) -> None:
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal
        self.sent.append(notice)


def email(*phases: Any) -> launch_plan_pb2.Notification:
    return launch_plan_pb2.Notification(
        phases=phases, email=launch_plan_pb2.EmailNotification(recipients_email=["anna@example.com"])
    )


async def notifier(control: Control, post: Post) -> Notifier:
    plans = {plan.id.SerializeToString(): plan for plan in await launch_plans(control)}

    async def find(identifier: Any) -> launch_plan_pb2.LaunchPlan | None:
        return plans.get(identifier.SerializeToString())

    made = Notifier(control.runner.store.database, post.send, find)
    await made.open()
    return made


async def launch_plans(control: Control) -> Sequence[launch_plan_pb2.LaunchPlan]:
    place = launch_plan_pb2.NamedEntityIdentifier(project="p", domain="d")
    return (await control.client.list_launch_plans(control_pb2.ResourceListRequest(id=place, limit=10))).launch_plans


async def registered(control: Control, *notifications: launch_plan_pb2.Notification) -> launch_plan_pb2.LaunchPlan:
    made = diamond()
    plan = plan_of(made)
    plan.spec.entity_metadata.notifications.extend(notifications)
    await register(control.client, [made], [plan])
    return plan


async def test_the_phases_that_are_asked_for_are_told_once() -> None:
    async with serving() as control:
        plan = await registered(control, email(Phase.SUCCEEDED, Phase.ABORTED), email(Phase.FAILED))
        execution = await control.start(plan.id, "first", a=integer(1))
        await control.ended(execution)
        post = Post()
        telling = await notifier(control, post)
        await telling.look()
        await telling.look()
        (notice,) = post.sent
        assert notice.recipients == ("anna@example.com",)
        assert notice.subject == "SUCCEEDED: diamond (first)"
        assert notice.text.startswith("Execution first of diamond in p, d has ended: SUCCEEDED.\nIt took ")


async def test_a_failure_is_told_with_its_error() -> None:
    async with serving(plugin=FakePlugin({"join": [FAILED, FAILED]})) as control:
        plan = await registered(control, email(Phase.FAILED))
        await control.ended(await control.start(plan.id, a=integer(1)))
        post = Post()
        await (await notifier(control, post)).look()
        (notice,) = post.sent
        assert "it broke" in notice.text


@pytest.mark.parametrize("way", ["email", "slack", "pager_duty"])
async def test_an_execution_may_ask_for_others_or_for_none(way: str) -> None:
    async with serving() as control:
        plan = await registered(control, email(Phase.SUCCEEDED))
        quiet, other = request_of(plan.id, "quiet", a=integer(1)), request_of(plan.id, "other", a=integer(1))
        quiet.spec.disable_all = True
        asked = other.spec.notifications.notifications.add(phases=[Phase.SUCCEEDED])
        getattr(asked, way).recipients_email.append("channel@example.com")
        for request in (quiet, other):
            await control.ended((await control.client.create_execution(request)).id)
        post = Post()
        await (await notifier(control, post)).look()
        assert [(notice.way, notice.recipients) for notice in post.sent] == [(way, ("channel@example.com",))]


async def test_what_could_not_be_sent_is_put_off_and_what_was_sent_is_not_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as control:
        plan = await registered(control, email(Phase.SUCCEEDED), email(Phase.SUCCEEDED))
        await control.ended(await control.start(plan.id, a=integer(1)))
        post = Post()
        telling = await notifier(control, post)
        database = control.runner.store.database
        post.refusals = [None, NotSentError("busy")]
        await telling.look()
        assert len(post.sent) == 1
        assert "could not be sent, again in 20 s" in caplog.text
        await telling.look()
        assert len(post.sent) == 1, "it is not due yet"
        await database.change("UPDATE notifications SET due_at = 0")
        await telling.look()
        await telling.look()
        assert len(post.sent) == 2


async def test_no_other_runner_sends_the_next_message_because_the_ones_before_took_long() -> None:
    async with serving() as control:
        plan = await registered(control, email(Phase.SUCCEEDED), email(Phase.SUCCEEDED))
        await control.ended(await control.start(plan.id, a=integer(1)))
        post, database = Post(), control.runner.store.database
        other = await notifier(control, post)

        class Slow(Post):
            async def send(self, notice: Notice) -> None:
                await other.look()
                await super().send(notice)
                await database.change("UPDATE notifications SET due_at = 0")  # so long did it take

        slow = Slow()
        await (await notifier(control, slow)).look()
        assert (len(slow.sent), len(post.sent)) == (2, 0)


async def test_a_message_that_takes_long_holds_no_other_up() -> None:
    async with serving() as control:
        plan = await registered(control, email(Phase.SUCCEEDED))
        for name in ("first", "second"):
            await control.ended(await control.start(plan.id, name, a=integer(1)))
        post = Post()
        after_the_second = asyncio.Event()

        async def send(notice: Notice) -> None:
            if "first" in notice.subject:
                await after_the_second.wait()
            await Post.send(post, notice)
            after_the_second.set()

        telling = await notifier(control, post)
        telling._send = send
        async with asyncio.timeout(30):
            await telling.look()
        assert [notice.subject for notice in post.sent] == ["SUCCEEDED: diamond (second)", "SUCCEEDED: diamond (first)"]


async def test_what_can_never_be_sent_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as control:
        plan = await registered(control, email(Phase.SUCCEEDED), email(Phase.SUCCEEDED))
        await control.ended(await control.start(plan.id, a=integer(1)))
        post = Post(NotSentError("no such user", lasting=True))
        telling = await notifier(control, post)
        await telling.look()
        assert "a message is given up: no such user" in caplog.text
        assert len(post.sent) == 1


async def test_two_runners_tell_it_once(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    async with serving(store) as one, serving(store) as other:
        plan = await registered(one, email(Phase.SUCCEEDED))
        for number in range(5):
            await one.ended(await one.start(plan.id, f"e{number}", a=integer(1)))
        post = Post()
        tellers = [await notifier(each, post) for each in (one, other, one, other)]
        await asyncio.gather(*(each.look() for each in tellers))
        assert sorted(notice.subject for notice in post.sent) == [f"SUCCEEDED: diamond (e{n})" for n in range(5)]
