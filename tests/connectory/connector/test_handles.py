"""Handles on the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.connector.handle_projects import project_of, with_project
from connectory.connector.handles import HandleCodec
from connectory.connector.registry import Registry
from connectory.errors import InvalidTaskError, RegistryError
from tests.connectory.connector.fakes import FakeConnector, FakeJob

LABEL = "fake@0"


@dataclass
class RichJob:
    job_id: str
    attempts: int = 0
    started: datetime | None = None
    tags: dict[str, list[str]] = field(default_factory=dict)
    raw: bytes = b""


class Upgraded(FakeConnector):
    """The third version of a handle: once `id`, then `job`, now `job_id`."""

    handle_version = 3

    def upgrade(self, handle: Mapping[str, Any], from_version: int) -> Mapping[str, Any]:
        return {"job_id": handle["id" if from_version == 1 else "job"]}


def _codec(connector: FakeConnector | None = None, handle_type: Any = FakeJob) -> HandleCodec:
    return HandleCodec(connector or FakeConnector(), handle_type)


@given(
    st.builds(
        RichJob,
        job_id=st.text(),
        attempts=st.integers(-(2**63), 2**63 - 1),
        started=st.none() | st.datetimes(timezones=st.just(UTC)),
        tags=st.dictionaries(st.text(), st.lists(st.text(), max_size=3), max_size=3),
        raw=st.binary(max_size=50),
    ),
    st.binary(max_size=100),
)
@settings(max_examples=100, deadline=None)
def test_what_is_encoded_is_decoded(job: RichJob, outputs: bytes) -> None:
    codec = _codec(handle_type=RichJob)
    assert codec.decode(LABEL, codec.encode(LABEL, job, outputs)) == (job, outputs)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidTaskError, match="handle cannot be used"):
        _codec().decode(LABEL, data)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(InvalidTaskError, match="no handle"):
        _codec().decode(LABEL, b'{"job":' + b"[" * 100_000)


def test_the_envelope_is_small_and_readable() -> None:
    written = json.loads(_codec().encode(LABEL, FakeJob(job_id="7"), b""))
    assert isinstance(written.pop("check"), int)
    assert written == {"v": 1, "category": "fake@0", "job": {"job_id": "7"}}


@pytest.mark.parametrize(("old", "new"), [(b"job-7", b"job-8"), (b"AAE=", b"AAI="), (b'"check":', b'"check":1')])
def test_a_handle_that_was_changed_on_its_way_is_refused(old: bytes, new: bytes) -> None:
    data = _codec().encode(LABEL, FakeJob(job_id="job-7"), b"\x00\x01")
    assert _codec().decode(LABEL, with_project(data, "ml"))[0] == FakeJob(job_id="job-7")
    with pytest.raises(InvalidTaskError, match="changed since it was given out") as refused:
        _codec().decode(LABEL, data.replace(old, new))
    assert refused.value.reason == "INVALID_HANDLE"


@pytest.mark.parametrize("project", ["ml", 'with "quotes" and grün', ""])
def test_a_handle_says_of_which_project_its_job_is(project: str) -> None:
    data = with_project(_codec().encode(LABEL, FakeJob(job_id="7"), b""), project)
    assert project_of(data) == project
    assert _codec().decode(LABEL, data) == (FakeJob(job_id="7"), b"")


@pytest.mark.parametrize("data", [b"", b"[]", b'{"project":7}', b"\xff", b'{"job":' + b"[" * 100_000])
def test_what_is_no_handle_is_of_no_project(data: bytes) -> None:
    assert project_of(data) == ""


@pytest.mark.parametrize(("version", "job"), [(1, {"id": "7"}), (2, {"job": "7"}), (3, {"job_id": "7"})])
def test_older_handles_are_upgraded(version: int, job: dict[str, str]) -> None:
    data = json.dumps({"v": version, "category": "fake@0", "job": job, "outputs": "AAE="}).encode()
    assert _codec(Upgraded()).decode(LABEL, data) == (FakeJob(job_id="7"), b"\x00\x01")


@pytest.mark.parametrize(
    ("envelope", "sentence"),
    [
        ({"v": 4, "category": "fake@0", "job": {"job_id": "7"}}, "newer than 3"),
        ({"v": 0, "category": "fake@0", "job": {"job_id": "7"}}, "does not fit"),
        ({"v": 1, "category": "fake@1", "job": {"id": "7"}}, "belongs to fake@1"),
        ({"v": 3, "category": "other@0", "job": {"job_id": "7"}}, "belongs to other@0"),
        ({"v": 1, "category": "fake@0", "job": {"nothing": "7"}}, "could not be upgraded"),
        ({"v": 3, "category": "fake@0", "job": {"job_id": 7}}, "does not fit"),
        ({"v": 3, "category": "fake@0"}, "no handle"),
    ],
)
def test_what_cannot_be_used_is_said(envelope: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidTaskError, match=sentence) as refused:
        _codec(Upgraded()).decode(LABEL, json.dumps(envelope).encode())
    assert refused.value.reason == "INVALID_HANDLE"


def test_a_raised_version_needs_an_upgrade() -> None:
    class Forgetful(FakeConnector):
        handle_version = 2

    with pytest.raises(RegistryError, match="no `upgrade`"):
        Registry().register(Forgetful())
