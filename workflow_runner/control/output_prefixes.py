"""Where executions may write, as far as their callers choose it."""

from collections.abc import Sequence

from connectory.errors import PermissionDeniedError

__all__ = ["require_allowed"]


def require_allowed(prefix: str, allowed: Sequence[str] | None, *, of: str = "") -> None:
    """Refuse a place that is not one of the allowed ones nor below one; None: every place is allowed.

    `of` is the launch plan within that names it, if one does.
    """
    if allowed is None or not prefix:
        return
    wanted = prefix.rstrip("/")
    if ".." not in wanted.split("/") and any(_is_below(wanted, each.rstrip("/")) for each in allowed if each):
        return
    places = ", ".join(map(repr, allowed)) or "none"
    whose = f"launch plan {of!r}, which a node starts: " if of else ""
    raise PermissionDeniedError(
        f"{whose}raw_output_data_config.output_location_prefix {prefix!r} is not where executions may write: {places};"
        " leave it out, or have the operator add it with --allowed-output-prefix",
        reason="OUTPUT_PREFIX",
    )


def _is_below(wanted: str, allowed: str) -> bool:
    return wanted == allowed or wanted.startswith(f"{allowed}/")
