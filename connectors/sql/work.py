"""One job's work: connect, run the statements, store the result, commit, leave the marker of success."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from connectors.sql.engines.contract import Engine, Session
from connectors.sql.outcome import MARKER, Outcome
from connectors.sql.plan import Plan, localized
from connectors.sql.results import read_values, write_parquet
from connectors.sql.running import Run
from connectory.connector.contract import CreateContext
from connectory.errors import UserError
from connectory.storage import Storage
from connectory.types import StructuredDataset

__all__ = ["Ended", "do_work"]


class Ended(Exception):
    """The job was told to end before it was done."""


def do_work(
    plan: Plan, ctx: CreateContext[Any], engine: Engine, run: Run, *, name: str, result_url: str, working_folder: Path
) -> Outcome:
    """Do everything. On any error nothing is committed, and no marker is left."""
    with tempfile.TemporaryDirectory(dir=working_folder) as folder:
        _continue(run)
        session = engine.open_session(plan.database.resolve(ctx.secrets), name, read_only=plan.read_only)
        try:
            run.attach(session)
            outcome = _query(plan, ctx, session, run, Path(folder), result_url)
            _continue(run)
            session.commit()
        finally:
            run.attach(None)
            session.close()
    if ctx.output_prefix:
        ctx.storage.write(Storage.join(result_url, MARKER), msgspec.json.encode(outcome))
    return outcome


def _query(plan: Plan, ctx: CreateContext[Any], session: Session, run: Run, folder: Path, result_url: str) -> Outcome:
    for number, statement in enumerate(plan.setup):
        local = localized(statement, ctx.storage, folder / f"setup-{number}")
        _continue(run)
        for _ in session.execute(local.text, local.parameters) or ():
            continue
    local = localized(plan.query, ctx.storage, folder / "query")
    _continue(run)
    reader = session.execute(local.text, local.parameters)
    if plan.dataset:
        values, rows = _dataset(reader, plan, ctx, folder, result_url)
    else:
        values, rows = read_values(reader, plan.outputs, plan.max_rows)
    _continue(run)
    literals = ctx.types.map_to_literals(values, plan.outputs, ctx.conversion)
    return Outcome(rows=rows, outputs=literals.SerializeToString())


def _dataset(
    reader: Any, plan: Plan, ctx: CreateContext[Any], folder: Path, result_url: str
) -> tuple[Mapping[str, Any], int]:
    if reader is None:
        text = (
            f"output {plan.dataset!r} is a data set, but the statement has no rows; add RETURNING, or drop the output"
        )
        raise UserError(text, reason="NO_ROWS")
    path = folder / "data.parquet"
    rows = write_parquet(reader, path)
    url = Storage.join(result_url, path.name)
    ctx.storage.upload(path, url)
    values: dict[str, Any] = {plan.dataset: StructuredDataset(url)}
    if "row_count" in plan.outputs.variables:
        values["row_count"] = rows
    return values, rows


def _continue(run: Run) -> None:
    if run.reason:
        raise Ended(run.reason)
