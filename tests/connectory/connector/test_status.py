"""Errors and gRPC status."""

from datetime import timedelta

import pytest
from google.rpc import code_pb2, error_details_pb2, status_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory import errors
from connectory.connector.status import DOMAIN, LIMIT, from_status, to_status

CODES = {
    errors.UserError: "FAILED_PRECONDITION",
    errors.InvalidTaskError: "INVALID_ARGUMENT",
    errors.NotFoundError: "NOT_FOUND",
    errors.UnsupportedError: "UNIMPLEMENTED",
    errors.AlreadyExistsError: "ALREADY_EXISTS",
    errors.UnauthenticatedError: "UNAUTHENTICATED",
    errors.PermissionDeniedError: "PERMISSION_DENIED",
    errors.RateLimitedError: "RESOURCE_EXHAUSTED",
    errors.UnavailableError: "UNAVAILABLE",
    errors.DeadlineExceededError: "DEADLINE_EXCEEDED",
    errors.AmbiguousError: "ABORTED",
    errors.InternalError: "INTERNAL",
}


def test_every_error_of_the_tree_has_its_code() -> None:
    assert set(errors.ConnectorError.__subclasses__()) >= set(CODES)
    assert {cls.__name__ for cls in CODES} == {
        name for name in errors.__all__ if issubclass(getattr(errors, name), errors.ConnectorError)
    } - {"ConnectorError"}


@pytest.mark.parametrize("cls", CODES)
def test_an_error_crosses_and_comes_back_as_itself(cls: type[errors.ConnectorError]) -> None:
    error = cls("why", reason="WHY", fields={"custom.a": "wrong"}, retry_after=timedelta(seconds=1.5))
    status = to_status(error)
    assert code_pb2.Code.Name(status.code) == CODES[cls]
    back = from_status(status_pb2.Status.FromString(status.SerializeToString()))
    assert type(back) is cls
    assert (back.message, back.reason, back.fields, back.retry_after) == ("why", "WHY", error.fields, error.retry_after)


def test_a_subclass_has_the_code_of_its_parent() -> None:
    class Special(errors.UserError):
        """A connector's own."""

    assert to_status(Special("x")).code == code_pb2.FAILED_PRECONDITION


@given(
    st.text(max_size=5000),
    st.text(max_size=200),
    st.dictionaries(st.text(max_size=300), st.text(max_size=500), max_size=30),
    st.none() | st.timedeltas(timedelta(-1), timedelta(days=9999)),
)
@settings(max_examples=100, deadline=None)
def test_no_status_is_longer_than_clients_can_read(
    message: str, reason: str, fields: dict[str, str], retry_after: timedelta | None
) -> None:
    error = errors.InvalidTaskError(message, reason=reason, fields=fields, retry_after=retry_after)
    status = to_status(error)
    assert status.ByteSize() <= LIMIT
    assert type(from_status(status)) is errors.InvalidTaskError


def test_a_status_of_somebody_else_is_understood_as_far_as_it_goes() -> None:
    assert isinstance(from_status(status_pb2.Status(code=code_pb2.CANCELLED)), errors.UnavailableError)
    status = status_pb2.Status(code=code_pb2.DATA_LOSS, message="lost")
    status.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")
    error = from_status(status)
    assert isinstance(error, errors.InternalError)
    assert error.message == "lost"


def test_a_wait_that_cannot_be_reckoned_with_says_nothing() -> None:
    status = to_status(errors.RateLimitedError("why"))
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.seconds = 10**15
    status.details.add().Pack(retry)
    back = from_status(status)
    assert (type(back), back.message, back.retry_after) == (errors.RateLimitedError, "why", None)


def test_the_details_name_the_domain() -> None:
    assert DOMAIN.encode() in to_status(errors.UserError("x")).SerializeToString()
