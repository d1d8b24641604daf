"""Doing together what is asked for at the same time, so that many callers pay for one round trip and one commit."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Groups"]

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
_SEVERAL, _MANY = 8, 32
_MOST_AT_ONCE = 512


class Groups(Generic[Asked, Answer]):
    """What comes while one group is being done makes the next one.

    `perform` gives an answer for each that is asked for, in their order. What it raises is the answer for all of them.
    After a group of several the next one is waited for, `gather_for` seconds at most, so that it is large as well: what
    a group costs hardly depends on its size. Where few ask at a time nobody waits for that.
    """

    def __init__(
        self, perform: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]], *, gather_for: float = 0.0
    ) -> None:
        self._perform = perform
        self._gather_for = gather_for
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._enough = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def ask(self, asked: Asked) -> "asyncio.Future[Answer]":
        """The answer once it is there. What is asked for is done although nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((asked, answer))
        if self._task is None:
            self._task = loop.create_task(self._work())
        elif len(self._waiting) == _MANY:
            self._enough.set()
        return answer

    async def aclose(self) -> None:
        """Finish what was asked for."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _work(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
                await self._answer(group)
                if self._gather_for and len(group) >= _SEVERAL:
                    await self._gather()
        finally:
            self._task = None

    async def _gather(self) -> None:
        if len(self._waiting) >= _MANY:
            return
        self._enough.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._gather_for):
                await self._enough.wait()

    async def _answer(self, group: "Sequence[tuple[Asked, asyncio.Future[Answer]]]") -> None:
        try:
            answers = await self._perform([asked for asked, _ in group])
        except Exception as error:  # whatever it is, those who wait must be told
            for _, waiting in group:
                if not waiting.done():
                    waiting.set_exception(error)
            return
        for (_, waiting), answer in zip(group, answers, strict=True):
            if not waiting.done():
                waiting.set_result(answer)
