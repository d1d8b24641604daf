"""`connectory compile`: workflows of a file as CompiledWorkflowClosure, in bytes and readable."""

import sys
from pathlib import Path

from google.protobuf.json_format import MessageToJson

from connectory.authoring.loading import find_workflow, find_workflows
from connectory.compiler import compile_workflow
from connectory.errors import SettingsError
from connectory_cli.loading import load
from connectory_cli.printing import print_json

__all__ = ["compile_file"]


def compile_file(file: Path, out: Path, workflow: str | None, as_json: bool) -> int:
    """Write `NAME.pb` and `NAME.json` for each workflow; nothing is written when one of them has a mistake."""
    module = load(file)
    workflows = [find_workflow(module, workflow)] if workflow else list(find_workflows(module))
    if not workflows:
        raise SettingsError(f"{file} has no workflow: decorate a function with @workflow")
    closures = {chosen.short_name: compile_workflow(chosen) for chosen in workflows}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, closure in closures.items():
            (out / f"{name}.pb").write_bytes(closure.SerializeToString(deterministic=True))
            (out / f"{name}.json").write_text(MessageToJson(closure, preserving_proto_field_name=True) + "\n")
    except OSError as error:
        raise SettingsError(f"--out {out} cannot be written: {error.strerror}") from error
    written = {
        name: {
            "pb": str(out / f"{name}.pb"),
            "json": str(out / f"{name}.json"),
            "nodes": len(closure.primary.template.nodes),
            "tasks": len(closure.tasks),
        }
        for name, closure in closures.items()
    }
    if as_json:
        print_json(written)
    else:
        for name, facts in written.items():
            sys.stdout.write(
                f"{name}: {facts['nodes']} nodes, {facts['tasks']} tasks: {facts['pb']}, {facts['json']}\n"
            )
    return 0
