"""Handles of connectors in other processes: the same bytes as within the server."""

import msgspec
import pytest

from connector_server.isolation.handles import WholeHandle, WholeHandles
from connectory.connector.handles import HandleCodec
from connectory.errors import InvalidTaskError
from tests.connector_server.isolation.crafty import CraftyConnector, CraftyJob

JOB = CraftyJob("succeed", "", "", "/tmp", "", "grün", [0.1, 1e22, 3.0])
WITHIN = HandleCodec(CraftyConnector(), CraftyJob)
APART = WholeHandles(CraftyConnector())


@pytest.mark.parametrize("outputs", [b"", b"\x0a\x00"])
def test_they_are_passed_on_byte_for_byte(outputs: bytes) -> None:
    written = WITHIN.encode("crafty@0", JOB, outputs)
    whole, declared = APART.decode("crafty@0", written)
    assert declared == outputs
    assert APART.encode("crafty@0", whole, b"") == written == whole.data


@pytest.mark.parametrize("outputs", [b"", b"\x0a\x00"])
def test_a_job_that_a_person_wrote_down_is_completed(outputs: bytes) -> None:
    written = msgspec.json.format(msgspec.json.encode(JOB), indent=2)
    assert APART.completed("crafty@0", written, outputs) == WITHIN.completed("crafty@0", written, outputs)
    with pytest.raises(msgspec.DecodeError):
        APART.completed("crafty@0", b"[1]", outputs)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"v":3,"category":"crafty@0","job":{}}'])
def test_what_is_none_is_refused_in_the_same_words(data: bytes) -> None:
    with pytest.raises(InvalidTaskError) as within:
        WITHIN.decode("crafty@0", data)
    with pytest.raises(InvalidTaskError) as apart:
        APART.decode("crafty@0", data)
    assert (apart.value.message, apart.value.fields) == (within.value.message, within.value.fields)


def test_the_rest_is_left_to_the_connectors_process() -> None:
    unfit = b'{"v":2,"category":"crafty@0","job":{"id":7}}'
    assert APART.decode("crafty@0", unfit) == (WholeHandle(unfit), b"")
