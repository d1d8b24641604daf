"""Bytes cross between Flyte's packages and ours in both directions, and mean the same on both sides.

For every pair of messages random instances are made, by the same generator on both sides. Those made here hold only
what the other side knows; whatever it makes, we know. Nothing may be unknown to the reader, and the content must be
equal, also after it has been serialized again and has come back.
"""

import pytest

from tests.wire.peer_process import OUR_SCHEMA, PAIRS, Peer, new_message
from tests.wire.samples import Content, View, build, content, has_unknown_fields

SEEDS = ("north", "east", "south", "west")


def _plan(peer: Peer) -> list[tuple[str, str, int]]:
    """(their message, seed, index) of each instance: enough to pass through all members of every oneof."""
    plan = []
    for theirs in peer.pairs:
        groups: dict[str, int] = {}
        for field in peer.schema["messages"][theirs].values():
            groups[field["oneof"]] = groups.get(field["oneof"], 0) + bool(field["oneof"])
        count = max(6, *groups.values()) if groups else 1
        plan += [(theirs, f"{seed}:{theirs}", index) for seed in SEEDS for index in range(count + 1)]
    return plan


def _covers_all_fields(peer: Peer, contents: list[tuple[str, Content]]) -> list[str]:
    seen: dict[str, set[str]] = {}
    for theirs, said in contents:
        seen.setdefault(theirs, set()).update(said)
    return [
        f"{theirs}#{number} {field['name']}"
        for theirs in peer.pairs
        for number, field in peer.schema["messages"][theirs].items()
        if number not in seen[theirs] and len(peer.schema["enums"].get(field["target"], "ab")) > 1
    ]


def test_that_what_we_write_is_read_there_and_comes_back(peer: Peer, compared: dict[str, str]) -> None:
    plan = _plan(peer)
    sent = [
        build(new_message(PAIRS[theirs]), seed, index, view=View(peer.schema, theirs)) for theirs, seed, index in plan
    ]
    frames = [(theirs, m.SerializeToString().hex()) for (theirs, _, _), m in zip(plan, sent, strict=True)]
    answers = peer.ask(do="parse", messages=frames, maps=peer.maps)
    for (theirs, seed, index), message, (unknown, said, data) in zip(plan, sent, answers, strict=True):
        where = f"{theirs} ({seed}, instance {index})"
        assert not unknown, f"{where}: {peer.package} does not know all of it"
        assert said == content(message), where
        back = new_message(PAIRS[theirs])
        back.ParseFromString(bytes.fromhex(data))
        assert not has_unknown_fields(back), where
        assert content(back) == content(message), where
    assert not _covers_all_fields(peer, [(p[0], a[1]) for p, a in zip(plan, answers, strict=True)])
    compared[f"bytes to {peer.package} {peer.version} and back"] = (
        f"{len({p[0] for p in plan})} message pairs, {len(plan)} instances"
    )


def test_that_what_they_write_is_read_here_and_comes_back(peer: Peer, compared: dict[str, str]) -> None:
    plan = _plan(peer)
    answers = peer.ask(do="build", messages=plan, maps=peer.maps)
    frames = []
    for (theirs, seed, index), (said, data) in zip(plan, answers, strict=True):
        where = f"{theirs} ({seed}, instance {index})"
        message = new_message(PAIRS[theirs])
        message.ParseFromString(bytes.fromhex(data))
        assert not has_unknown_fields(message), f"{where}: we do not know all of it"
        assert content(message) == said, where
        frames.append((theirs, message.SerializeToString().hex()))
    returned = peer.ask(do="parse", messages=frames, maps=peer.maps)
    for (theirs, seed, index), (said, _), (unknown, again, _) in zip(plan, answers, returned, strict=True):
        assert not unknown
        assert again == said, f"{theirs} ({seed}, instance {index})"
    assert not _covers_all_fields(peer, [(p[0], a[0]) for p, a in zip(plan, answers, strict=True)])
    compared[f"bytes from {peer.package} {peer.version} and back"] = (
        f"{len({p[0] for p in plan})} message pairs, {len(plan)} instances"
    )


def test_that_no_pair_is_left_out(peer: Peer) -> None:
    of_package = [theirs for theirs in PAIRS if theirs.split(".")[0] == peer.package]
    assert len(of_package) > 100
    assert len(peer.pairs) + len(peer.enums) == len(of_package)
    assert {PAIRS[t] for t in peer.pairs} - OUR_SCHEMA["messages"].keys() == set()


def test_that_fields_of_ours_are_kept_by_readers_that_do_not_know_them(peer: Peer) -> None:
    """A request with our additions passes through a peer unharmed."""
    theirs = next(t for t, o in peer.pairs.items() if o == "connectory.v1.CreateTaskRequest")
    message = new_message("connectory.v1.CreateTaskRequest")
    message.idempotency_key = "once"  # type: ignore[attr-defined]
    [(unknown, said, data)] = peer.ask(do="parse", messages=[(theirs, message.SerializeToString().hex())], maps=[])
    assert unknown
    assert said == {}
    assert bytes.fromhex(data) == message.SerializeToString()


@pytest.mark.parametrize("package", ["flyteidl", "flyteidl2"])
def test_that_the_pairs_name_both_packages(package: str) -> None:
    assert any(theirs.split(".")[0] == package for theirs in PAIRS)
