"""Futures that tell one listener of their end at once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from workflow_runner.python.prompt import PromptFuture, when_done


def _prompt() -> PromptFuture[int]:
    return PromptFuture(loop=asyncio.get_running_loop())


@pytest.mark.parametrize(
    "end",
    [
        lambda future: future.set_result(1),
        lambda future: future.set_exception(ValueError("no")),
        lambda future: future.cancel(),
    ],
    ids=["result", "error", "cancelled"],
)
async def test_the_listener_hears_of_every_end_before_anybody_else_has_a_turn(end: Callable[[Any], Any]) -> None:
    future, told = _prompt(), []
    when_done(future, lambda: told.append(future.done()))
    end(future)
    assert told == [True]
    await asyncio.wait([future])
    assert not future.cancel()
    assert told == [True], "once"
    assert future.cancelled() or future.exception() or future.result()


async def test_who_comes_late_or_listens_to_another_kind_is_told_in_the_next_turn() -> None:
    ended, other = _prompt(), asyncio.get_running_loop().create_future()
    ended.set_result(1)
    told: list[str] = []
    when_done(ended, lambda: told.append("ended"))
    when_done(other, lambda: told.append("other"))
    other.set_result(2)
    assert told == []
    await asyncio.sleep(0)
    assert told == ["ended", "other"]


async def test_a_listener_that_fails_is_reported_and_harms_nobody() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    future = _prompt()

    def fail() -> None:
        raise ValueError("a bug")

    when_done(future, fail)
    future.set_result(3)
    assert await future == 3
    assert [str(each["exception"]) for each in reported] == ["a bug"]
