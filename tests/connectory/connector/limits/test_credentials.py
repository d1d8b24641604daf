"""Which callers share limits, and what is kept of them."""

import gc
import weakref

import pytest

from connectory.connector.limits import Limits
from connectory.connector.limits.credentials import ConnectorGates, credential_of
from connectory.errors import RateLimitedError
from connectory.v1 import security_pb2
from tests.connectory.connector.limits.test_gates import MovedClock


def connection(**configs: str) -> security_pb2.Connection:
    return security_pb2.Connection(configs=configs)


def test_the_whole_connection_is_the_credential_in_whichever_order_it_is_written() -> None:
    both = [connection(a="1", b="2"), connection(b="2", a="1")]
    assert len({credential_of(one) for one in both}) == 1
    secret = security_pb2.Connection(configs={"a": "1", "b": "2"}, secrets={"token": "hunter2"})
    names = {credential_of(one) for one in (None, connection(), both[0], secret)}
    assert len(names) == 4
    assert not any("hunter2" in name for name in names)


async def test_credentials_that_are_at_rest_are_forgotten_and_others_are_not() -> None:
    clock = MovedClock()
    gates = ConnectorGates("Fake", Limits(jobs=1, creates_per_second=1, wait=0), clock)
    await gates.of(connection(user="busy")).creates.enter("")
    await gates.of(connection(user="done")).creates.enter("")
    gates.of(connection(user="done")).creates.give_back()
    at_rest = weakref.ref(gates.of(connection(user="done")))
    await clock.pass_by(5)
    for number in range(2000):
        gates.of(connection(user=str(number)))
    gc.collect()
    assert at_rest() is None
    with pytest.raises(RateLimitedError):
        await gates.of(connection(user="busy")).creates.enter("")
