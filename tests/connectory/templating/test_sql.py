"""Templates of queries, tried against a real database."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.errors import InvalidTaskError
from connectory.templating import ParamStyle, bind
from connectory.types import File

HOSTILE = [
    "'; DROP TABLE people; --",
    "' OR '1'='1",
    "\\'; DROP TABLE people; --",
    "{{ .inputs.other }}",
    "'{{ .inputs.other }}'",
    "?",
    "$1",
    ":other",
    "/* */ --",
    '"',
    "\x1b",
    "Robert'); DROP TABLE people;--",
]
texts = st.sampled_from(HOSTILE) | st.text().filter(lambda text: "\0" not in text and text.isprintable())
styles = st.sampled_from(["qmark", "named"])


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table people (name text, age integer)")
        connection.execute("insert into people values ('ann', 30), ('bob', 40)")
        yield connection


@settings(max_examples=100, deadline=None)
@given(value=texts, other=texts, style=styles)
def test_values_never_change_the_text_of_a_query(
    database: sqlite3.Connection, value: str, other: str, style: ParamStyle
) -> None:
    query = "select {{ .inputs.value }}, '{{ .inputs.other }}', 'x' || '{{ .inputs.value }}' -- {{ .inputs.gone }}"
    sql, parameters = bind(query, {"value": value, "other": other}, paramstyle=style)
    assert sql == bind(query, {"value": "", "other": ""}, paramstyle=style)[0]
    assert database.execute(sql, parameters).fetchone() == (value, other, f"x{value}")
    assert database.execute("select count(*) from people").fetchone() == (2,)


@settings(max_examples=100, deadline=None)
@given(names=st.lists(texts, min_size=1, max_size=5), style=styles)
def test_lists_after_in_are_bound_item_by_item(
    database: sqlite3.Connection, names: list[str], style: ParamStyle
) -> None:
    for query in (
        "select name from people where name in ({{ .inputs.names }})",
        "select name from people where name IN {{ .inputs.names }}",
        "select name from people where name not in ( '{{ .inputs.names }}' )",
    ):
        sql, parameters = bind(query, {"names": [*names, "ann"]}, paramstyle=style)
        found = [name for (name,) in database.execute(sql, parameters)]
        assert found == (["bob"] if "not" in query else ["ann"])
        assert len(parameters) == len(names) + 1


@pytest.mark.parametrize(
    ("style", "sql", "parameters"),
    [
        ("qmark", "select ?, ?, ?", [1, "a", 1]),
        ("numeric_dollar", "select $1, $2, $3", [1, "a", 1]),
        ("named", "select :x, :y, :x_2", {"x": 1, "y": "a", "x_2": 1}),
    ],
)
def test_the_styles_of_parameters(style: ParamStyle, sql: str, parameters: Any) -> None:
    query = "select {{ .inputs.x }}, '{{.Inputs.y}}', {{ .inputs.x }}"
    assert bind(query, {"x": 1, "y": "a"}, paramstyle=style) == (sql, parameters)


def test_prefixes_are_parameters_too() -> None:
    query = "copy t to '{{ .rawOutputDataPrefix }}' || {{ .inputs.x }}, {{ .outputPrefix }}, {{ .perRetryUniqueKey }}"
    sql, parameters = bind(
        query, {"x": 1}, paramstyle="named", raw_output_prefix="s3://r", output_prefix="s3://o", retry_key="k"
    )
    assert sql == "copy t to :raw_output_prefix || :x, :output_prefix, :retry_key"
    assert parameters == {"raw_output_prefix": "s3://r", "x": 1, "output_prefix": "s3://o", "retry_key": "k"}


def test_values_are_bound_as_they_are() -> None:
    noon = datetime(2024, 2, 29, 12, tzinfo=UTC)
    inputs = {"t": noon, "l": [1, 2], "d": {"a": [noon]}, "f": File("s3://b/k"), "n": None, "b": b"x"}
    query = ", ".join(f"{{{{ .inputs.{name} }}}}" for name in inputs)
    assert bind(query, inputs, paramstyle="qmark")[1] == [
        noon,
        [1, 2],
        '{"a": ["2024-02-29T12:00:00+00:00"]}',
        "s3://b/k",
        None,
        b"x",
    ]


@pytest.mark.parametrize(
    ("query", "remedy"),
    [
        ("select '%{{ .inputs.x }}%'", "write '%' || {{ .inputs.x }} || '%' instead"),
        ("select '{{ .inputs.x }}''s'", "write {{ .inputs.x }} || '''s' instead"),
        ("select 'a {{ .inputs.x }} and {{ .inputs.x }}'", "is only a part of the quoted text"),
        ('select "{{ .inputs.x }}"', "names cannot be bound"),
        ("select `{{ .inputs.x }}`", "names cannot be bound"),
        ("select $tag$ {{ .inputs.x }} $tag$", "write it outside and concatenate"),
        ("select E'{{ .inputs.x }}'", "is inside of quoted text"),
        ("select N'{{ .inputs.x }}'", "without prefix and quotes"),
        ("select date '{{ .inputs.x }}'", "write cast({{ .inputs.x }} as date) instead"),
        ("select '{{ .inputs.x }}", "is only a part of the quoted text"),
        ("select {{ .inputs.y }}", "variables there are: .inputs.x"),
        ("select {{ inputs.x }}", "lacks the dot"),
        ("select {{ .secrets.x }}", "stands for nothing here"),
        ("select * from t where a in ({{ .inputs.empty }})", "IN needs at least one item"),
    ],
)
def test_what_cannot_be_bound_is_refused_with_a_remedy(query: str, remedy: str) -> None:
    with pytest.raises(InvalidTaskError, match=re.escape(remedy)):
        bind(query, {"x": "a", **({"empty": []} if "empty" in query else {})}, paramstyle="numeric_dollar")


@pytest.mark.parametrize(
    ("style", "query"), [("qmark", "select ?, 1"), ("numeric_dollar", "select $1"), ("named", "select a = :name")]
)
def test_markers_of_the_querys_own_are_refused(style: ParamStyle, query: str) -> None:
    with pytest.raises(InvalidTaskError, match="a parameter marker of its own"):
        bind(query, {}, paramstyle=style)


@pytest.mark.parametrize("style", ["qmark", "numeric_dollar", "named"])
@pytest.mark.parametrize(
    "query",
    [
        "select 'it''s ? $1 :name', \"odd ? $1 :name\" -- ? $1 :name {{ .inputs.gone }}\n, a::text /* '?$1:n' */",
        "select $$ ? $1 :name ' $$, $f$ ? ' $f$, E'\\' ? $1 :name'",
        "select a[1:2], {{ ref('model') }}",
    ],
)
def test_what_is_no_placeholder_stays(style: ParamStyle, query: str) -> None:
    assert bind(query, {}, paramstyle=style)[0] == query


def test_markers_do_not_grow_together_with_words() -> None:
    query = "select 1 where'{{ .inputs.x }}'like'{{ .inputs.x }}'and{{ .inputs.x }}is not null"
    assert bind(query, {"x": 1}, paramstyle="named")[0] == "select 1 where :x like :x_2 and :x_3 is not null"
