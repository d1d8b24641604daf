"""Declare the commands that take a workflow from a file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from connectory_cli.options import EndpointOption, JsonOption, StoreOption, findable, module_of

__all__ = ["add_run_commands"]


def add_run_commands(app: typer.Typer) -> None:
    """Put these commands below `connectory`."""
    app.command()(run)
    app.command(name="compile")(compile_file)


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="The Python file with the workflow.")],
    workflow: Annotated[
        str | None, typer.Argument(metavar="[WORKFLOW]", help="Its name; may be left out when the file has only one.")
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input; JSON for lists and dicts; repeatable."),
    ] = None,
    inputs_file: Annotated[
        Path | None, typer.Option("--inputs-file", metavar="FILE", help="Inputs as a JSON or YAML object.")
    ] = None,
    endpoints: EndpointOption = None,
    store: StoreOption = None,
    output_prefix: Annotated[
        str | None,
        typer.Option("--output-prefix", metavar="URL", help="Where outputs are written.  [default: beside the store]"),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The execution's name.  [default: made up]", show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with this workflow's latest unfinished execution.")
    ] = False,
    module: Annotated[
        list[str] | None,
        typer.Option("--module", metavar="PKG.MOD", help="More connectors for the server started inside; repeatable."),
    ] = None,
    executor: Annotated[
        Literal["process", "thread", "dask"], typer.Option("--executor", help="Where Python tasks run.")
    ] = "process",
    max_parallelism: Annotated[
        int | None, typer.Option("--max-parallelism", min=1, help="Nodes at work at once.  [default: no bound]")
    ] = None,
    overwrite_cache: Annotated[
        bool, typer.Option("--overwrite-cache", help="Run cached tasks anew, and keep their new results.")
    ] = False,
    offload_above: Annotated[
        int | None,
        typer.Option(
            "--offload-above",
            min=0,
            metavar="BYTES",
            help="Larger outputs are kept beside those in files, not in the store; 0: none.  [default: 1 MiB]",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a workflow durably and show its progress. Ctrl-C aborts it and waits until its jobs are gone."""
    options = module_of("running").RunOptions(
        file=file,
        workflow=workflow,
        inputs=inputs or [],
        inputs_file=inputs_file,
        endpoints=endpoints or [],
        store=store,
        output_prefix=output_prefix,
        name=name,
        resume=resume,
        modules=findable(module) or [],
        executor=executor,
        max_parallelism=max_parallelism,
        overwrite_cache=overwrite_cache,
        offload_above=offload_above,
        as_json=as_json,
    )
    raise typer.Exit(module_of("running").run(options))


def compile_file(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="The Python file with the workflows.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="A folder; made when absent.")],
    workflow: Annotated[str | None, typer.Option("--workflow", "-w", help="Only this one.  [default: all]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compile workflows to CompiledWorkflowClosure files: one .pb and one readable .json each."""
    raise typer.Exit(module_of("compiling").compile_file(file, out, workflow, as_json))
