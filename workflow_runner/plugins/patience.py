"""How long the runner waits for a connector service."""

from dataclasses import dataclass
from typing import Final

__all__ = ["LONGEST_PAUSE", "Patience"]

LONGEST_PAUSE: Final = 3600.0
"""Seconds. Whoever is told to come back later than that, because a limit is reached, comes back then."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often a connector service is asked, and for how long it may not answer. Seconds."""

    first_poll: float = 0.02
    growth: float = 1.5
    slowest_poll: float = 5.0
    longest_told: float = 60.0
    """A job, or a service in trouble, that says when to ask again is asked after so long at the latest."""
    first_word: float = 2.0
    """A job that is watched is asked about when nothing was heard of it for so long at first."""
    unheard: float = 300.0
    """A job of which changes are heard is asked about after so long without one, to be sure."""
    first_retry: float = 0.1
    slowest_retry: float = 10.0
    start: float = 120.0
    """After so long in which a job could not be created, or a sync task not be run, the attempt is given up."""
    silence: float = 600.0
    """After so long without one good answer about a job the attempt is given up, and the job deleted."""
    unknown_phase: float = 3600.0
    """After so long in which a job is reported in a phase that nobody knows the attempt is given up, and the job
    deleted."""
    confirmation: float = 60.0
    """For so long after its deletion was accepted a job may still be reported as running."""
    elsewhere: float = 60.0
    """For so long a job that is to be deleted waits for the service that was asked for it, while another one is there
    in its place."""
    call: float = 60.0
    """How long one call may take."""
