"""What every store must do. A subclass provides the fixture `store`, an open store."""

import asyncio
from math import inf

import pytest

from workflow_runner.cache.contract import CachedResult, CacheEntry, Claim
from workflow_runner.store.contract import (
    OF_EXECUTION,
    ExecutionExistsError,
    ExecutionRecord,
    LogConflictError,
    LogRecord,
    PluginState,
    Store,
    UnknownExecutionError,
)
from workflow_runner.store.notices import signal_topic


def execution(
    name: str = "e", *, started_at: float = 1.0, phase: str = "RUNNING", ended_at: float | None = None
) -> ExecutionRecord:
    return ExecutionRecord(
        id=name, workflow="w", project="p", domain="d", phase=phase, started_at=started_at, ended_at=ended_at
    )


def record(number: int) -> LogRecord:
    return LogRecord(event=b"event %d" % number, commands=b"commands %d" % number)


class StoreSuite:
    """The suite."""

    async def test_a_log_is_read_as_it_was_written(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        await store.append("e", 1, [record(1), record(2)])
        assert await store.log("e") == [record(0), record(1), record(2)]

    async def test_an_id_is_used_once(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        with pytest.raises(ExecutionExistsError, match="'e' exists already"):
            await store.create(execution(), [record(7)])
        assert await store.log("e") == [record(0)]

    async def test_a_log_has_neither_gaps_nor_two_writers(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        await store.append("e", 1, [record(1)])
        for number in (0, 1, 3):
            with pytest.raises(LogConflictError):
                await store.append("e", number, [record(9), record(10)], execution(phase="FAILED"))
        assert await store.log("e") == [record(0), record(1)]
        assert (await store.execution("e")).phase == "RUNNING"

    async def test_records_that_come_one_by_one_are_kept_in_order(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        for number in range(1, 20):
            await store.append("e", number, [record(number)])
        for number in (18, 19, 21):
            with pytest.raises(LogConflictError):
                await store.append("e", number, [record(9)])
        await store.append("e", 20, [record(20)])
        assert await store.log("e") == [record(number) for number in range(21)]

    async def test_a_record_is_written_at_once_where_it_belongs_or_not_at_all(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        for number in range(1, 10):
            await store.append("e", number, [record(number)])
        assert not any(store.append_at_once("e", number, record(number)) for number in (0, 9, 11))
        assert not store.append_at_once("unknown", 0, record(0))
        if not store.append_at_once("e", 10, record(10)):
            await store.append("e", 10, [record(10)])
        await store.append("e", 11, [record(11)])
        assert await store.log("e") == [record(number) for number in range(12)]

    async def test_an_update_comes_with_its_records(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        ended = ExecutionRecord(
            id="e",
            workflow="w",
            project="p",
            domain="d",
            phase="FAILED",
            error="why",
            started_at=1.0,
            ended_at=2.0,
        )
        await store.append("e", 1, [record(1)], ended)
        assert await store.execution("e") == ended

    async def test_an_error_is_kept_whatever_is_in_it(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        odd = ExecutionRecord(id="e", workflow="w", phase="FAILED", error="a\0b \ud800 \u20ac", started_at=1.0)
        await store.append("e", 1, [record(1)], odd)
        assert (await store.execution("e")).error == "a\ufffdb ? \u20ac"

    async def test_large_records_are_kept(self, store: Store) -> None:
        large = LogRecord(event=bytes(range(256)) * 40_000, commands=b"")
        await store.create(execution(), [record(0)])
        await store.append("e", 1, [large, record(2)])
        await store.put_plugin_state("e", "n", 0, PluginState(version=1, data=large.event))
        assert await store.log("e") == [record(0), large, record(2)]
        assert (await store.plugin_states("e"))["n", 0].data == large.event

    async def test_many_logs_are_read_at_once(self, store: Store) -> None:
        for name in "abc":
            await store.create(execution(name), [record(0)])
            await store.append(name, 1, [record(number) for number in range(1, 12)])
        await store.put_plugin_state("a", "n", 3, PluginState(version=1, data=b"a"))
        found = await store.logs(["a", "b", "unknown"])
        assert {name: list(log) for name, log in found.items()} == {
            name: [record(i) for i in range(12)] for name in "ab"
        }
        state = PluginState(version=1, data=b"a")
        assert await store.many_plugin_states(["a", "b", "unknown"]) == {"a": {("n", 3): state}}
        assert await store.logs([]) == {}

    async def test_the_latest_executions_come_first(self, store: Store) -> None:
        for number in range(5):
            await store.create(execution(f"e{number}", started_at=float(number)), [record(0)])
        assert [found.id for found in await store.executions(limit=3)] == ["e4", "e3", "e2"]

    async def test_unknown_executions_are_named(self, store: Store) -> None:
        with pytest.raises(UnknownExecutionError, match="'nobody'"):
            await store.log("nobody")
        with pytest.raises(UnknownExecutionError, match="'nobody'"):
            await store.execution("nobody")
        with pytest.raises(UnknownExecutionError, match="'nobody'"):
            await store.put_plugin_state("nobody", "n", 0, PluginState(version=1, data=b""))
        with pytest.raises(UnknownExecutionError, match="'nobody'"):
            await store.append("nobody", 1, [record(1)])

    async def test_plugin_states_are_kept_by_attempt(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        await store.put_plugin_state("e", "n", 0, PluginState(version=1, data=b"old"))
        await store.put_plugin_state("e", "n", 0, PluginState(version=2, data=b"new"))
        await store.put_plugin_state("e", "n", 1, PluginState(version=1, data=b"other"))
        kept = {("n", 0): PluginState(version=2, data=b"new"), ("n", 1): PluginState(version=1, data=b"other")}
        assert await store.plugin_states("e") == kept

    async def test_what_is_remembered_for_all_attempts_is_kept_beside_them(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        of_one, of_all = PluginState(version=1, data=b"one"), PluginState(version=1, data=b"all")
        await store.put_plugin_state("e", "n", 0, of_one)
        await store.put_plugin_state("e", *OF_EXECUTION, of_all)
        kept = {("n", 0): of_one, OF_EXECUTION: of_all}
        assert await store.plugin_states("e") == kept
        assert await store.many_plugin_states(["e"]) == {"e": kept}

    async def test_many_writers_at_once_are_all_served(self, store: Store) -> None:
        names = [f"e{number}" for number in range(50)]
        await asyncio.gather(*(store.create(execution(name), [record(0)]) for name in names))
        await asyncio.gather(
            *(store.append(name, number, [record(number)]) for number in range(1, 20) for name in names),
            return_exceptions=False,
        )
        for name in names:
            assert len(await store.log(name)) == 20

    async def test_one_writers_mistake_is_its_own(self, store: Store) -> None:
        await store.create(execution("a"), [record(0)])
        results = await asyncio.gather(
            store.append("a", 1, [record(1)]),
            store.append("a", 1, [record(1)]),
            store.create(execution("b"), [record(0)]),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [type(None), LogConflictError, type(None)]
        assert len(await store.log("b")) == 1

    async def test_answers_to_gates_are_kept_and_the_first_one_counts(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        await store.put_signal("e", "go", b"yes")
        await store.put_signal("e", "go", b"no")
        assert await store.signals("e") == {"go": b"yes"}
        assert await store.signals("nobody") == {}
        with pytest.raises(UnknownExecutionError, match="'nobody'"):
            await store.put_signal("nobody", "go", b"yes")

    async def test_whoever_waits_for_an_answer_is_woken(self, store: Store) -> None:
        await store.create(execution(), [record(0)])
        with store.notices.listen(signal_topic("e")) as news, store.notices.listen(signal_topic("other")) as none:
            await store.put_signal("e", "go", b"yes")
            await news.wait()
            assert not none.is_set()

    async def test_results_are_found_until_they_are_too_old(self, store: Store) -> None:
        assert await store.cache.find("k") is None
        await store.cache.keep("k", "me", CachedResult(outputs=b"old", source="s", kept_at=10.0))
        result = CachedResult(outputs=b"", source="t", kept_at=20.0)
        await store.cache.keep("k", "me", result)
        assert await store.cache.find("k") == result
        assert await store.cache.find("k", not_before=20.0) == result
        assert await store.cache.find("k", not_before=20.1) is None

    async def test_results_are_listed_and_forgotten_by_what_their_keys_begin_with(self, store: Store) -> None:
        for number, key in enumerate(("p:d:a:1:x", "p:d:a:2:y", "p:d:ab:1:z")):
            result = CachedResult(outputs=b"12345", source=f"s{number}", kept_at=float(number))
            await store.cache.keep(key, "me", result)
        listed = await store.cache.entries("p:d:a:")
        assert listed[0] == CacheEntry(key="p:d:a:2:y", source="s1", kept_at=1.0, size=5)
        assert [entry.source for entry in listed] == ["s1", "s0"]
        assert [entry.source for entry in await store.cache.entries(limit=1)] == ["s2"]
        assert await store.cache.clear("p:d:a:") == 2
        assert [entry.source for entry in await store.cache.entries()] == ["s2"]
        assert await store.cache.clear() == 1

    async def test_a_claim_has_one_owner_until_its_end(self, store: Store) -> None:
        cache = store.cache
        claims = await asyncio.gather(*(cache.claim("k", f"o{i}", seconds=60) for i in range(5)))
        (first,) = [f"o{i}" for i, claim in enumerate(claims) if claim.granted]
        assert (await cache.claim("k", first, seconds=60)).granted
        assert not (await cache.claim("k", "next", seconds=60)).granted
        assert (await cache.claim("k", first, seconds=0)).granted
        assert (await cache.claim("k", "next", seconds=60)).granted
        await cache.release("k", first)
        assert not (await cache.claim("k", "o2", seconds=60)).granted
        await cache.release("k", "next")
        assert (await cache.claim("k", "o2", seconds=60)).granted
        result = CachedResult(outputs=b"r", source="s", kept_at=22.0)
        await cache.keep("k", "o2", result)
        assert await cache.claim("k", "o3", seconds=60) == Claim(result=result)
        assert (await cache.claim("k", "o3", seconds=0, not_before=50.0)).granted
        assert (await cache.claim("k", "o4", seconds=60, not_before=inf)).granted
