"""Taking secrets out of text."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.connector.redaction import MOST, RecordingSecrets, Redactor, redacting_logger
from connectory.testing import FakeSecrets


@given(st.text(min_size=4).filter(lambda text: len(text.strip()) >= 4 and "*" not in text), st.text(), st.text())
@settings(max_examples=100, deadline=None)
def test_no_text_keeps_a_secret(secret: str, before: str, after: str) -> None:
    redactor = Redactor()
    RecordingSecrets(FakeSecrets({"k": secret}), redactor).get("k")
    assert secret not in redactor.text(before + secret + after)
    assert redactor.value({"k": [secret, {secret: 1}]}) == {"k": ["***", {"***": 1}]}


def test_short_values_are_left_alone() -> None:
    redactor = Redactor()
    redactor.record("abc")
    assert not redactor
    assert redactor.text("abc") == "abc"


def test_a_secret_is_taken_out_of_a_url_too() -> None:
    redactor = Redactor()
    redactor.record("p@ss/wörd")
    assert redactor.text("https://me:p%40ss%2Fw%C3%B6rd@db/?p=p%40ss/w%C3%B6rd") == "https://me:***@db/?p=***"


def test_the_lines_of_a_key_file_are_secrets_each() -> None:
    redactor = Redactor()
    redactor.record("-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----\n")
    assert redactor.text("it says ijklmnop") == "it says ***"


def test_the_longer_of_two_secrets_goes_first() -> None:
    redactor = Redactor()
    redactor.record("abcd")
    redactor.record("abcdefgh")
    assert redactor.text("abcdefgh abcd") == "*** ***"


def test_only_the_latest_are_remembered() -> None:
    redactor = Redactor()
    for number in range(MOST + 1):
        redactor.record(f"secret-{number:04}")
    assert redactor.text("secret-0000") == "secret-0000"
    assert redactor.text(f"secret-{MOST:04}") == "***"


def test_a_logger_goes_by_the_level_of_the_one_above_whenever_that_changes(caplog: pytest.LogCaptureFixture) -> None:
    logger = redacting_logger("tests.redaction", Redactor())
    above = logging.getLogger("tests.redaction")
    for level in (logging.INFO, logging.DEBUG, logging.WARNING, logging.DEBUG):
        above.setLevel(level)
        logger.debug("at %d", level)
        logger.info("told at %d", level)
    assert [one.getMessage() for one in caplog.records] == [
        "told at 20",
        "at 10",
        "told at 10",
        "at 10",
        "told at 10",
    ]
