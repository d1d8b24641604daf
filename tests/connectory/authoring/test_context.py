"""`current_context()`: one per running task, and what it offers."""

import asyncio
import contextvars
import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from connectory.authoring import TaskContext, current_context, execute_task, task, workflow
from connectory.authoring.checkpoints import Checkpoint
from connectory.authoring.decks import Deck, DeckField, render_page
from connectory.authoring.execution import run_task_async
from connectory.authoring.html_deck import HtmlDeck
from connectory.authoring.stats import Stats
from connectory.authoring.statsd import statsd_sender
from connectory.authoring.task_secrets import TaskSecrets
from connectory.errors import MissingSecretError, SettingsError
from connectory.extend import context_manager
from connectory.secrets import EnvironmentSecrets
from connectory.storage import default_storage
from connectory.v1 import identifiers_pb2, literals_pb2

NOTHING = literals_pb2.LiteralMap()


def _named(name: str) -> TaskContext:
    return TaskContext(execution_id=identifiers_pb2.WorkflowExecutionIdentifier(name=name))


def _said(outputs: literals_pb2.LiteralMap) -> str:
    return outputs.literals["o0"].scalar.primitive.string_value


@task
async def patient() -> str:
    before = current_context().execution_id.name
    await asyncio.sleep(0)
    return f"{before} {current_context().execution_id.name}"


@task
def with_threads() -> str:
    with ThreadPoolExecutor(1) as pool:
        copied = pool.submit(contextvars.copy_context().run, current_context).result()
    return f"{copied.execution_id.name} {copied is current_context()}"


@task
def plainly() -> str:
    return current_context().execution_id.name


def _in_a_process(name: str) -> str:
    return _said(execute_task(plainly, NOTHING, context=_named(name)))


async def test_concurrent_coroutines_have_a_context_each() -> None:
    names = [f"e{number}" for number in range(20)]
    outcomes = await asyncio.gather(*(run_task_async(patient, NOTHING, context=_named(name)) for name in names))
    assert [_said(outcome) for outcome in outcomes] == [f"{name} {name}" for name in names]


def test_threads_have_a_context_each_and_can_be_given_their_callers() -> None:
    names = [f"e{number}" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda name: execute_task(with_threads, NOTHING, context=_named(name)), names))
    assert [_said(outcome) for outcome in outcomes] == [f"{name} True" for name in names]


def test_processes_have_a_context_each() -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(_in_a_process, ["a", "b", "c"])) == ["a", "b", "c"]


@workflow
def asks() -> str:
    return plainly()


def test_a_task_in_plain_python_has_an_execution_of_its_own() -> None:
    outer = current_context()
    assert asks() == "local"
    assert current_context() is outer


def test_flytes_context_is_the_same_one() -> None:
    @task
    def same() -> bool:
        context = context_manager.FlyteContextManager.current_context()
        here = context.user_space_params is current_context()
        return here and context.file_access.raw_output_prefix == current_context().raw_output_prefix

    outputs = execute_task(same, NOTHING, context=TaskContext(raw_output_prefix="memory://context/raw"))
    assert outputs.literals["o0"].scalar.primitive.boolean


def test_a_checkpoint_is_read_by_the_next_attempt(tmp_path: Path) -> None:
    storage = default_storage()
    first = Checkpoint(str(tmp_path / "first"), storage=storage)
    assert (first.prev_exists(), first.read(), first.restore()) == (False, None, None)
    first.write(b"one")
    first.write(b"two")
    second = Checkpoint(str(tmp_path / "second"), str(tmp_path / "first"), storage=storage)
    assert second.prev_exists()
    assert second.read() == b"two"
    assert first.read() is None


def test_a_checkpoint_may_be_files_and_folders(tmp_path: Path) -> None:
    source = tmp_path / "work"
    (source / "deep").mkdir(parents=True)
    (source / "a").write_text("a")
    (source / "deep" / "b").write_text("b")
    first = Checkpoint("memory://checkpoints/first", storage=default_storage())
    first.save(source)
    with (source / "a").open("rb") as opened:
        first.save(opened)
    second = Checkpoint("memory://checkpoints/second", "memory://checkpoints/first", storage=default_storage())
    with pytest.raises(ValueError, match=r"left 3 files, not one; take them with restore\(\)"):
        second.read()
    with pytest.raises(ValueError, match="is restored into a folder"):
        second.restore(tmp_path / "nowhere")
    restored = second.restore()
    assert restored is not None
    assert (restored / "deep" / "b").read_text() == "b"
    assert second.restore() == restored


def test_an_attempt_that_left_nothing_has_no_checkpoint() -> None:
    second = Checkpoint("memory://none/second", "memory://none/first", storage=default_storage())
    assert (second.prev_exists(), second.read()) == (False, None)


def test_secrets_are_asked_for_as_flytes_users_do() -> None:
    variables = {"S_KEY": "alone", "S_GROUP_KEY": "both", "S_GROUP_V1_KEY": "old"}
    secrets = TaskSecrets(EnvironmentSecrets("S_", variables))
    assert secrets.get("KEY") == secrets.get(key="KEY") == "alone"
    assert secrets.get("GROUP", "KEY") == secrets.get("KEY", group="GROUP") == "both"
    assert secrets.get(group="GROUP", key="KEY") == secrets.get("GROUP", key="KEY") == "both"
    assert secrets.get("GROUP", "KEY", group_version="V1") == "old"
    with pytest.raises(MissingSecretError, match="S_GROUP_NONE"):
        secrets.get("GROUP", "NONE")
    with pytest.raises(TypeError, match="named by a key, or by a group and a key"):
        secrets.get()
    with pytest.raises(TypeError, match="named by a key, or by a group and a key"):
        secrets.get("GROUP", "KEY", key="KEY")


def test_counters_are_statsd_lines_or_nothing() -> None:
    lines: list[str] = []
    stats = Stats(prefix="p", tags={"run": "1"}, send=lines.append)
    stats.incr("a")
    stats.decr("a", 2, {"x": "y"})
    stats.gauge("b", 1.5)
    with pytest.raises(ZeroDivisionError), stats.timer("c"):
        _ = 1 // 0
    assert lines[:3] == ["p.a:1|c|#run:1", "p.a:-2|c|#run:1,x:y", "p.b:1.5|g|#run:1"]
    assert lines[3].startswith("p.c:")
    Stats().inc("nobody")
    with pytest.raises(SettingsError, match="write HOST:PORT"):
        statsd_sender("localhost")


def test_a_page_of_decks_escapes_names_and_keeps_html() -> None:
    page = render_page("<t>", [HtmlDeck("a<b", "<p>x</p>").append("<p>y</p>")])
    assert "&lt;t&gt;" in page
    assert "a&lt;b" in page
    assert "<p>x</p>\n<p>y</p>" in page
    with pytest.raises(TypeError, match="a deck shows HTML text, not a int"):
        HtmlDeck("a").append(3)  # type: ignore[arg-type]


def test_decks_show_inputs_outputs_and_what_code_adds(tmp_path: Path) -> None:
    @task(enable_deck=True, deck_fields=[DeckField.INPUT])
    def shown(text: str) -> str:
        Deck("chart", "<svg></svg>")
        return "result-text"

    literals = literals_pb2.LiteralMap()
    literals.literals["text"].scalar.primitive.string_value = "<given>"
    execute_task(shown, literals, context=TaskContext(output_prefix=str(tmp_path)))
    page = (tmp_path / "deck.html").read_text()
    assert "<svg></svg>" in page
    assert "&lt;given&gt;" in page
    assert "result-text" not in page


def test_decks_show_how_long_it_took_and_what_is_installed(tmp_path: Path) -> None:
    @task(enable_deck=True, deck_fields=[DeckField.TIMELINE, DeckField.DEPENDENCIES])
    def measured(a: int) -> int:
        return a

    literals = literals_pb2.LiteralMap()
    literals.literals["a"].scalar.primitive.integer = 1
    execute_task(measured, literals, context=TaskContext(output_prefix=str(tmp_path)))
    page = (tmp_path / "deck.html").read_text()
    assert [f"<th>{step}</th>" in page for step in ("inputs", "work", "outputs")] == [True] * 3
    assert f"<tr><th>msgspec</th><td>{msgspec.__version__}</td></tr>" in page


def test_decks_can_be_published_while_the_task_runs(tmp_path: Path) -> None:
    @task(enable_deck=True)
    def half() -> bool:
        current_context().default_deck.append("half way")
        Deck.publish()
        return "half way" in (tmp_path / "deck.html").read_text()

    context = TaskContext(output_prefix=str(tmp_path))
    assert execute_task(half, NOTHING, context=context).literals["o0"].scalar.primitive.boolean


def test_decks_that_cannot_be_written_do_not_change_how_the_task_ended(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    @task(enable_deck=True)
    def fine() -> str:
        return "x"

    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        outputs = execute_task(fine, NOTHING, context=TaskContext(output_prefix=str(tmp_path / "file")))
    assert _said(outputs) == "x"
    assert "cannot be written" in caplog.text
