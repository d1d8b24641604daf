"""Kills the runner and the connector server at random moments while they work."""

import random
import time
from collections import Counter

from tests.chaos.place import Outcome, place

__all__ = ["killed_often"]


def killed_often(kills: int, seed: int, *, longest: float = 0.8) -> tuple[Counter[str], Outcome]:
    """One execution, during which up to so many processes are killed: how often which, and what came of it."""
    chance = random.Random(seed)
    killed: Counter[str] = Counter()
    with place() as here:
        here.start("runner")
        is_answered = False
        while killed.total() < kills and here.programs["runner"].poll() is None:
            time.sleep(chance.uniform(0, longest))  # the moment is the experiment
            victim = chance.choice(("server", "runner", "runner"))
            here.kill(victim)
            killed[victim] += 1
            here.start(victim)
            if not is_answered and killed.total() >= kills // 3:
                here.answer_gate()
                is_answered = True
        if not is_answered:
            here.answer_gate()
        return killed, here.outcome()
