"""What is asked for at the same time is done together."""

import asyncio
from collections.abc import Sequence

import pytest

from connectory.database.groups import Groups


class _Doubled:
    """Doubles numbers, and remembers which came together."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.began = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, numbers: Sequence[int]) -> Sequence[int]:
        self.groups.append([*numbers])
        self.began.set()
        await self.may_go_on.wait()
        if 0 in numbers:
            raise ValueError("zero")
        return [2 * number for number in numbers]


async def test_what_comes_while_a_group_is_done_makes_the_next() -> None:
    doubled = _Doubled()
    doubled.may_go_on.clear()
    groups = Groups(doubled)
    first = [groups.ask(1), groups.ask(2)]
    await doubled.began.wait()
    later = [groups.ask(3), groups.ask(4)]
    doubled.may_go_on.set()
    assert await asyncio.gather(*first, *later) == [2, 4, 6, 8]
    assert doubled.groups == [[1, 2], [3, 4]]


async def test_an_error_is_the_answer_for_its_group_and_no_other() -> None:
    groups = Groups(_Doubled())
    failed = [groups.ask(0), groups.ask(1)]
    for answer in failed:
        with pytest.raises(ValueError, match="zero"):
            await answer
    assert await groups.ask(5) == 10


async def test_what_is_asked_for_is_done_although_nobody_waits() -> None:
    doubled = _Doubled()
    groups = Groups(doubled)
    groups.ask(1).cancel()
    assert await groups.ask(2) == 4
    await groups.aclose()
    assert doubled.groups == [[1, 2]]


async def test_after_a_large_group_another_large_one_is_waited_for() -> None:
    doubled = _Doubled()
    groups = Groups(doubled, gather_for=3600.0)
    await asyncio.gather(*(groups.ask(number) for number in range(1, 10)))
    few = [groups.ask(number) for number in range(1, 10)]
    done, _ = await asyncio.wait(few, timeout=0.01)
    assert not done
    many = [groups.ask(number) for number in range(1, 40)]
    await asyncio.gather(*few, *many)
    assert [len(group) for group in doubled.groups] == [9, 48]


async def test_where_few_ask_nobody_is_waited_for() -> None:
    groups = Groups(_Doubled(), gather_for=3600.0)
    for _ in range(3):
        assert await asyncio.gather(groups.ask(1), groups.ask(2)) == [2, 4]
