"""An issuer of signed tokens who does not answer."""

import asyncio
from collections.abc import Iterator
from threading import Event
from typing import Any

import grpc
import pytest

from tests.connector_server.harness import create_request
from tests.connector_server.issuers import Issuer
from tests.connector_server.test_access import bearer, by_jwt, server


class Silence:
    """Where the issuer's keys are, once `answer` is set."""

    def __init__(self) -> None:
        self.answer = Event()
        self.asked = Event()
        self.url = ""

    def wait(self) -> None:
        """Somebody asks."""
        self.asked.set()
        self.answer.wait()


@pytest.fixture
def silence(issuer: Issuer) -> Iterator[Silence]:
    made = Silence()
    with issuer.published(made.wait) as made.url:
        yield made
        made.answer.set()


async def test_an_issuer_who_does_not_answer_holds_up_nobody_else(issuer: Issuer, silence: Silence) -> None:
    async with server(**{**by_jwt(issuer), "jwt_jwks": silence.url}) as peer:
        waiting = {
            asyncio.ensure_future(
                refusal(
                    peer.jobs.CreateTask(create_request("trivial"), metadata=bearer(issuer.token(sub=f"c{number}")))
                )
            )
            for number in range(300)
        }
        refused: set[Any] = set()
        while len(refused) < 300 - 256:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            refused |= done
        said = {each.result() for each in refused}
        assert said == {(grpc.StatusCode.UNAVAILABLE, "too many new tokens wait for the issuer's keys now; try again")}
        assert await asyncio.to_thread(silence.asked.wait, 10), "there are threads for others"
        silence.answer.set()
        assert {await each for each in waiting} == {None}, "the others were let in"


async def test_a_token_that_many_calls_bring_at_once_is_checked_once(issuer: Issuer, silence: Silence) -> None:
    async with server(**{**by_jwt(issuer), "jwt_jwks": silence.url}) as peer:
        token = bearer(issuer.token())
        calls = [
            asyncio.ensure_future(refusal(peer.jobs.CreateTask(create_request("trivial"), metadata=token)))
            for _ in range(500)
        ]
        assert await asyncio.to_thread(silence.asked.wait, 10)
        silence.answer.set()
        assert set(await asyncio.gather(*calls)) == {None}


async def refusal(call: Any) -> Any:
    """How the call was refused, if it was."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details()
    return None
