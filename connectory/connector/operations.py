"""How a connector's methods are called: decided once, when the connector is registered."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from connectory.connector.contract import AsyncConnector, Connector, LogPage, SyncConnector
from connectory.connector.pools import BoundedPool

__all__ = ["LogStream", "Operation", "compile_log_stream", "compile_operation", "is_offered"]

Operation = Callable[..., Awaitable[Any]]
"""A connector's method as something to await, whichever way it was written."""

LogStream = Callable[..., AsyncGenerator[LogPage]]

_CONTRACT = (Connector, SyncConnector, AsyncConnector)


def is_offered(connector: Connector[Any], name: str) -> bool:
    """Whether the connector has its own implementation of an operation of the contract."""
    method = getattr(connector, name, None)
    function = getattr(method, "__func__", method)
    return method is not None and all(function is not vars(base).get(name) for base in _CONTRACT)


def compile_operation(method: Callable[..., Any], pool: BoundedPool) -> Operation:
    """The method itself when it is `async def`; otherwise a call of it on the pool."""
    if inspect.iscoroutinefunction(method):
        return method

    async def on_pool(*args: Any) -> Any:
        result = await pool.run(method, *args)
        return await result if inspect.isawaitable(result) else result

    return on_pool


def compile_log_stream(method: Callable[..., Any], pool: BoundedPool) -> LogStream:
    """`logs` as an async iterator of pages: it may be an async or a plain generator, or answer pages or an iterable."""
    if inspect.isasyncgenfunction(method):
        return method
    begin = compile_operation(method, pool)

    async def stream(*args: Any) -> AsyncGenerator[LogPage]:
        answer = await begin(*args)
        if isinstance(answer, LogPage):
            yield answer
        elif isinstance(answer, AsyncIterator):
            async for page in answer:
                yield page
        else:
            async for page in _drawn_on(pool, answer):
                yield page

    return stream


async def _drawn_on(pool: BoundedPool, pages: Iterable[LogPage]) -> AsyncIterator[LogPage]:
    iterator = await pool.run(iter, pages)
    end = object()
    while (page := await pool.run(next, iterator, end)) is not end:
        yield page
