"""Connectors found anew while others serve: fresh code where it can be had, the last good one where it cannot."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from connectory.connector.announcements import announced, forget
from connectory.connector.discovery import Source
from connectory.connector.fresh_modules import put_back, root_of, take_out
from connectory.connector.registry import BrokenConnector, Registration, Registry
from connectory.errors import RegistryError

__all__ = ["GOES_ON", "Rediscovered", "rediscover"]

GOES_ON: Final = "its last good version goes on"
"""How the reason ends of what is broken although it serves."""


@dataclass(frozen=True, kw_only=True)
class Rediscovered:
    """What was found."""

    registry: Registry
    """What is to serve now. Its `broken` has what failed, too."""
    failed: Sequence[BrokenConnector]
    """What could not be loaded although it serves; there the last good connectors go on."""
    discarded: Sequence[Registration]
    """New connectors that are not to serve, to be closed."""


def rediscover(current: Registry, wanted: Sequence[Source], others: Iterable[Registration] = ()) -> Rediscovered:
    """Load the sources again, beside the `others`, which are loaded already. Nothing of `current` changes.

    The modules of a package are run anew together, and taken or left together: when one of its sources fails that
    serves now, the whole package stays as it was. A category that serves from one package is not given to another
    before the first one has given it up.
    """
    before = len(announced())
    registry, failed, tried = Registry(), list[BrokenConnector](), list(others)
    _admit(registry, tried)
    units = _units(wanted)
    for root, sources in units.items():
        elsewhere = [source for name, its in units.items() if name != root for source in its]
        trial, failures = _reload(current, registry, root, sources, elsewhere, units.keys() - {root})
        failed += failures
        tried += trial.list()
    forget(until=before)
    needed = {*registry.list(), *current.list()}
    discarded = [registration for registration in tried if registration not in needed]
    return Rediscovered(registry=registry, failed=failed, discarded=discarded)


def _units(wanted: Sequence[Source]) -> Mapping[str, Sequence[Source]]:
    units: dict[str, list[Source]] = {}
    for source in wanted:
        units.setdefault(root_of(source.module), []).append(source)
    return units


def _reload(
    current: Registry,
    registry: Registry,
    root: str,
    sources: Sequence[Source],
    elsewhere: Sequence[Source],
    roots: Set[str],
) -> tuple[Registry, Sequence[BrokenConnector]]:
    """Add the connectors of one package to the registry.

    Answers what was loaded, and why when it is not that which serves.
    """
    serving = [one for one in current.list() if any(source.gave(one) for source in sources)]
    since = len(announced())
    taken = take_out(root, roots)
    trial = Registry()
    for source in sources:
        source.add_to(trial)
    served = {source.text for source in sources if any(source.gave(one) for one in serving)}
    failed = [broken for broken in trial.broken if broken.source in served]
    failed += _claims(current, trial, elsewhere)
    if not failed:
        _admit(registry, trial.list())
        for broken in trial.broken:
            registry.add_broken(broken)
        return trial, ()
    put_back(root, taken, roots)
    forget(since)
    kept = [replace(one, reason=f"{one.reason}; {GOES_ON}") for one in failed]
    for registration in serving:
        registry.admit(registration)
    for broken in (*kept, *(one for one in trial.broken if one.source not in served)):
        registry.add_broken(broken)
    return trial, kept


def _claims(current: Registry, trial: Registry, elsewhere: Sequence[Source]) -> Sequence[BrokenConnector]:
    """Which new connectors claim a category that another package serves."""
    refused = []
    for registration in trial.list():
        for owner in current.list():
            contested = set(owner.categories) & set(registration.categories)
            if contested and any(source.gave(owner) for source in elsewhere):
                reason = f"category {min(map(str, contested))} is served by {owner.name} ({owner.source})"
                refused.append(BrokenConnector(name=registration.name, source=registration.source, reason=reason))
    return refused


def _admit(registry: Registry, registrations: Iterable[Registration]) -> None:
    for registration in registrations:
        try:
            registry.admit(registration)
        except RegistryError as error:
            name, source = registration.name, registration.source
            registry.add_broken(BrokenConnector(name=name, source=source, reason=str(error)))
