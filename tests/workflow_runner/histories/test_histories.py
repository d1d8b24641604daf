"""What earlier versions decided is still decided: executions that they began can be gone on with."""

import json

import pytest

from tests.workflow_runner.histories.record import FOLDER, HISTORIES, facts, read
from workflow_runner.engine.apply import apply_all
from workflow_runner.engine.commands import StartAttempt
from workflow_runner.engine.events import decode_event
from workflow_runner.engine.outstanding import outstanding
from workflow_runner.engine.state import State
from workflow_runner.replay import replay


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.history")))
def test_a_recorded_history_leads_to_the_same_end(name: str) -> None:
    log = read(name)
    state = replay(name, log)
    assert facts(state) == json.loads((FOLDER / f"{name}.json").read_text())
    assert outstanding(state) == []


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.history")))
def test_every_beginning_of_it_can_be_gone_on_with(name: str) -> None:
    log = read(name)
    events = [decode_event(record.event) for record in log]
    for count in range(1, len(log)):
        state = replay(name, log[:count])
        assert outstanding(state), "something is always waited for"
        rest, _ = apply_all(state, events[count:])
        assert rest == apply_all(State(), events)[0]


def test_every_history_is_there() -> None:
    assert {path.stem for path in FOLDER.glob("*.history")} >= HISTORIES.keys()


@pytest.mark.parametrize(("name", "at_once"), [("launched", 3), ("bounded", 1)])
def test_an_execution_goes_on_by_the_rules_that_it_began_with(name: str, at_once: int) -> None:
    (begun,) = apply_all(State(), [decode_event(read(name)[0].event)])[1]
    assert sum(isinstance(each, StartAttempt) and each.node.startswith("p.") for each in begun) == at_once
