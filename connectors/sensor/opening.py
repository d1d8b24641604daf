"""Making a job of a task: everything that can be known to be wrong is said before the wait begins."""

from typing import Final

from connectors.sensor.config import Check, FileCheck, HttpCheck, SensorConfig, SqlCheck, TimeCheck, chosen
from connectors.sensor.filling import Filling
from connectors.sensor.job import MAX_INPUT_BYTES, SensorJob
from connectors.sensor.looks import file, sql
from connectors.sensor.looks import time as moment
from connectory.connector.contract import CreateContext
from connectory.errors import InvalidTaskError
from connectory.web import StatusSet

__all__ = ["opened"]

_FACTS: Final = {FileCheck: ("path", "size"), HttpCheck: ("url", "status"), SqlCheck: (), TimeCheck: ()}


def opened(ctx: CreateContext[SensorConfig], *, job_id: str, started: float) -> SensorJob:
    """The job's handle. Raises an `InvalidTaskError` that names the field for a task that can't ever end well."""
    check = chosen(ctx.config)
    job = SensorJob(
        id=job_id,
        config=ctx.config,
        started=started,
        inputs=ctx.literals.SerializeToString(),
        variables=ctx.template.interface.inputs.SerializeToString(),
        outputs=_outputs(ctx, check),
        prefix=ctx.output_prefix,
    )
    if len(job.inputs) > MAX_INPUT_BYTES:
        problem = f"{len(job.inputs)} bytes, and a sensor takes at most {MAX_INPUT_BYTES}"
        raise InvalidTaskError(f"the inputs have {problem}", fields={"inputs": problem})
    _rehearse(check, ctx, Filling(job, ctx, ctx.types), started)
    return job


def _outputs(ctx: CreateContext[SensorConfig], check: Check) -> list[str]:
    interface = ctx.template.interface
    known = {*interface.inputs.variables, *_FACTS[type(check)]}
    unknown = [name for name in interface.outputs.variables if name not in known]
    if unknown:
        problem = f"unknown; this sensor gives {', '.join(sorted(known)) or 'no outputs'}"
        fields = {f"template.interface.outputs.{name}": problem for name in unknown}
        raise InvalidTaskError(f"output {', '.join(unknown)}: {problem}", fields=fields)
    return list(interface.outputs.variables)


def _rehearse(check: Check, ctx: CreateContext[SensorConfig], filling: Filling, now: float) -> None:
    """Fill every template once, without secrets, so that one that can't be filled is known now."""
    match check:
        case FileCheck():
            file.rehearse(check, filling, ctx.storage)
        case HttpCheck():
            filling.url(check.url, masked=True)
            for template in check.headers.values():
                filling.text(template, masked=True)
            StatusSet(check.expect, field="custom.http.expect")
            StatusSet(check.fail, field="custom.http.fail")
        case SqlCheck():
            sql.rehearse(check, filling)
        case TimeCheck():
            moment.look(check, filling, started=now, now=now)
