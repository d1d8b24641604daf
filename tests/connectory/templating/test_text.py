"""Templates of plain text."""

import enum
import json
import string
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.errors import InvalidTaskError, MissingSecretError
from connectory.secrets import EnvironmentSecrets
from connectory.templating import render
from connectory.types import File, StructuredDataset


class Color(enum.Enum):
    RED = "red"


@dataclass
class Part:
    number: int
    at: datetime


NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (3, "3"),
        (0.1, "0.1"),
        (True, "true"),
        (False, "false"),
        (None, ""),
        (NOON, "2024-02-29T12:00:00+00:00"),
        (date(2024, 2, 29), "2024-02-29"),
        (timedelta(minutes=2), "120"),
        (timedelta(milliseconds=1500), "1.5"),
        (Color.RED, "red"),
        (File("s3://b/k"), "s3://b/k"),
        (StructuredDataset("s3://b/t"), "s3://b/t"),
        ([1, "a", None], '[1, "a", null]'),
        ({"at": NOON, "span": timedelta(seconds=1.5)}, '{"at": "2024-02-29T12:00:00+00:00", "span": 1.5}'),
        (Part(1, NOON), '{"number": 1, "at": "2024-02-29T12:00:00+00:00"}'),
        ([Color.RED, File("s3://b/k"), True], '["red", "s3://b/k", true]'),
    ],
)
def test_values_as_text(value: object, expected: str) -> None:
    assert render("<{{ .inputs.x }}>", inputs={"x": value}) == f"<{expected}>"


@pytest.mark.parametrize("spelling", ["{{ .inputs.x }}", "{{.inputs.x}}", "{{ .Inputs.x }}", "{{\n.INPUTS.x\t}}"])
def test_the_spellings_of_an_input(spelling: str) -> None:
    assert render(spelling, inputs={"x": 1}) == "1"


def test_the_prefixes_and_the_key_in_both_spellings() -> None:
    text = (
        "{{ .outputPrefix }} {{.output_prefix}} {{ .rawOutputDataPrefix }} {{ .raw_output_prefix }} "
        "{{ .perRetryUniqueKey }} {{ .per_retry_unique_key }}"
    )
    known = {"output_prefix": "o", "raw_output_prefix": "r", "retry_key": "k"}
    assert render(text, inputs={}, **known) == "o o r r k k"


def test_secrets_by_key_and_by_group() -> None:
    secrets = EnvironmentSecrets("S_", {"S_TOKEN": "t0p", "S_DB_PASSWORD": "pass"})
    assert render("Bearer {{ .secrets.token }}", inputs={}, secrets=secrets) == "Bearer t0p"
    assert render("{{ .secrets.db.password }}", inputs={}, secrets=secrets) == "pass"
    with pytest.raises(MissingSecretError, match="S_nothing"):
        render("{{ .secrets.nothing }}", inputs={}, secrets=secrets)


def test_a_name_that_stands_for_nothing_says_what_there_is() -> None:
    with pytest.raises(InvalidTaskError) as caught:
        render("{{ .inputs.day }}", inputs={"date": 1, "place": 2}, output_prefix="o")
    assert str(caught.value) == (
        "the template names {{ .inputs.day }}, which stands for nothing here; "
        "variables there are: .inputs.date, .inputs.place, .outputPrefix"
    )
    for text in ("{{ .outputPrefix }}", "{{ .secrets.x }}", "{{ .inputs }}", "{{ .unknown }}"):
        with pytest.raises(InvalidTaskError, match="variables there are: none"):
            render(text, inputs={})


def test_a_forgotten_dot_is_told() -> None:
    with pytest.raises(InvalidTaskError, match=r"write \{\{ \.inputs\.x \}\}"):
        render("{{ inputs.x }}", inputs={"x": 1})


def test_what_belongs_to_other_template_languages_stays() -> None:
    text = "{{ ref('model') }} {% if x %} ${HOME} {{ $value }} {x} }}{{"
    assert render(text, inputs={"x": 1}) == text


def test_bytes_are_no_text() -> None:
    with pytest.raises(InvalidTaskError, match=r"\.inputs\.x is bytes"):
        render("{{ .inputs.x }}", inputs={"x": b"1"})


@settings(max_examples=100, deadline=None)
@given(
    st.text() | st.sampled_from(["{{ .inputs.b }}", "{{ .secrets.TOKEN }}", "{{", "}}", "\\1", r"\g<name>"]), st.text()
)
def test_values_are_never_looked_at_again(a: str, b: str) -> None:
    secrets = EnvironmentSecrets("S_", {"S_TOKEN": "t0p"})
    assert render("{{ .inputs.a }}|{{ .inputs.b }}", inputs={"a": a, "b": b}, secrets=secrets) == f"{a}|{b}"


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.text(string.ascii_letters, min_size=1), st.integers() | st.text() | st.none() | st.booleans())
)
def test_structures_are_json(value: dict[str, object]) -> None:
    assert json.loads(render("{{ .inputs.x }}", inputs={"x": value})) == value
