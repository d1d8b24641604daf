"""What every store must do that several runners share.

A subclass provides the fixtures `one` and `two`: the same store, opened twice.
"""

import asyncio

import pytest

from tests.workflow_runner.store.conformance import execution, record
from workflow_runner.store.contract import LogConflictError, PluginState, Store
from workflow_runner.store.leases import Holder
from workflow_runner.store.notices import signal_topic


class SharedStoreSuite:
    """The suite."""

    async def test_what_one_has_written_the_other_reads(self, one: Store, two: Store) -> None:
        await one.create(execution(), [record(0)])
        await two.append("e", 1, [record(1)])
        with pytest.raises(LogConflictError):
            await one.append("e", 1, [record(1)])
        assert await one.log("e") == await two.log("e") == [record(0), record(1)]

    async def test_an_execution_that_is_held_is_written_by_its_holder_only(self, one: Store, two: Store) -> None:
        await one.leases.renew(60)
        await one.create(execution(), [record(0)], held=True)
        with pytest.raises(
            LogConflictError, match="another runner has taken the execution over: the runner with process id"
        ):
            await two.append("e", 1, [record(1)])
        with pytest.raises(LogConflictError, match="another runner"):
            await two.put_plugin_state("e", "n", 0, PluginState(version=1, data=b"theirs"))
        await one.put_plugin_state("e", "n", 0, PluginState(version=1, data=b"mine"))
        await one.append("e", 1, [record(1)])
        assert await two.plugin_states("e") == {("n", 0): PluginState(version=1, data=b"mine")}

    async def test_who_has_written_for_long_is_refused_once_another_has_taken_over(
        self, one: Store, two: Store
    ) -> None:
        await one.leases.renew(60)
        await two.leases.renew(60)
        await one.create(execution(), [record(0)], held=True)
        for number in range(1, 10):
            await one.append("e", number, [record(number)])
        holder = await two.leases.take("e", instead_of=one.leases.owner)
        assert holder is not None
        assert holder.owner == two.leases.owner
        with pytest.raises(LogConflictError, match="another runner has taken the execution over"):
            await one.append("e", 10, [record(7)])
        await two.append("e", 10, [record(10)])
        assert await one.log("e") == [record(number) for number in range(11)]

    async def test_what_is_held_is_not_taken_before_the_lease_has_ended(self, one: Store, two: Store) -> None:
        await one.leases.renew(60)
        await two.leases.renew(60)
        await one.create(execution(), [record(0)], held=True)
        holder = await two.leases.take("e")
        assert holder is not None
        assert holder.owner == one.leases.owner
        assert 50 < holder.seconds_left <= 60
        assert await two.leases.take_free(10) == []
        await one.leases.renew(0)
        assert await two.leases.others() == [Holder(owner=one.leases.owner, seconds_left=pytest.approx(0, abs=5))]
        assert await two.leases.take_free(10) == ["e"]
        with pytest.raises(LogConflictError):
            await one.append("e", 1, [record(1)])
        assert await one.leases.renew(60) == set()
        assert await two.leases.renew(60) == {"e"}

    async def test_a_holder_that_is_known_to_be_gone_is_replaced_at_once(self, one: Store, two: Store) -> None:
        await one.leases.renew(60)
        await two.leases.renew(60)
        for name in ("a", "b"):
            await one.create(execution(name), [record(0)], held=True)
        taken = await two.leases.take("a", instead_of=one.leases.owner)
        assert taken is not None
        assert taken.owner == two.leases.owner
        await two.leases.bury(one.leases.owner)
        assert await two.leases.take_free(10) == ["b"]

    async def test_what_was_let_go_or_never_held_is_free(self, one: Store, two: Store) -> None:
        await one.leases.renew(60)
        await two.leases.renew(60)
        for number, name in enumerate("abcd"):
            await one.create(execution(name, started_at=float(number)), [record(0)], held=name != "a")
        await one.leases.let_go(["b", "unknown"])
        assert await two.leases.take_free(1) == ["a"]
        assert await two.leases.take_free(10, except_for=["x", "b"]) == []
        assert await two.leases.take_free(10) == ["b"]
        await one.leases.resign()
        assert sorted(await two.leases.take_free(10)) == ["c", "d"]
        assert await one.leases.others() == [Holder(owner=two.leases.owner, seconds_left=pytest.approx(60, abs=5))]

    async def test_what_has_ended_is_held_by_nobody(self, one: Store, two: Store) -> None:
        await one.leases.renew(60)
        await two.leases.renew(60)
        await one.create(execution(), [record(0)], held=True)
        await one.append("e", 1, [record(1)], execution(phase="SUCCEEDED", ended_at=2.0))
        assert await one.leases.renew(60) == set()
        assert await two.leases.take("e") is None
        assert await two.leases.take("unknown") is None
        assert await two.leases.take_free(10) == []

    async def test_each_free_execution_is_taken_by_one(self, one: Store, two: Store) -> None:
        names = [f"e{number}" for number in range(40)]
        await asyncio.gather(*(one.create(execution(name), [record(0)]) for name in names))
        await one.leases.renew(60)
        await two.leases.renew(60)
        sweeps = await asyncio.gather(*(store.leases.take_free(7) for _ in range(4) for store in (one, two)))
        taken = [name for sweep in sweeps for name in sweep]
        assert sorted(taken) == sorted(names)

    async def test_what_one_gives_notice_of_the_other_hears(self, one: Store, two: Store) -> None:
        await one.create(execution(), [record(0)])
        with two.notices.listen("is it listening?") as heard:
            while not heard.is_set():
                await one.notices.publish("is it listening?")
                await asyncio.wait([asyncio.ensure_future(heard.wait())], timeout=0.05)
        with two.notices.listen(signal_topic("e")) as news, two.notices.listen(signal_topic("other")) as other:
            news.clear()
            other.clear()
            await one.put_signal("e", "go", b"yes")
            await news.wait()
            assert await two.signals("e") == {"go": b"yes"}
            assert not other.is_set()

    async def test_a_claim_to_a_result_is_granted_to_one(self, one: Store, two: Store) -> None:
        claims = await asyncio.gather(
            *(store.cache.claim("k", f"o{i}", seconds=60) for i in range(5) for store in (one, two))
        )
        assert len({claim.granted for claim in claims}) == 2
        holders = [i // 2 for i, claim in enumerate(claims) if claim.granted]
        assert len(set(holders)) == 1
