"""Authored workflows and tasks to the protobuf that engines run."""

from connectory.compiler.calls import CompiledCall, compile_call
from connectory.compiler.checks import Problem, check, require_sound
from connectory.compiler.dynamic import compile_dynamic
from connectory.compiler.launch_plans import compile_launch_plan, launch_plans_of, parameters
from connectory.compiler.tasks import compile_task
from connectory.compiler.workflows import compile_workflow

__all__ = [
    "CompiledCall",
    "Problem",
    "check",
    "compile_call",
    "compile_dynamic",
    "compile_launch_plan",
    "compile_task",
    "compile_workflow",
    "launch_plans_of",
    "parameters",
    "require_sound",
]
