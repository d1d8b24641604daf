"""Templates as compiled workflows."""

from connectory.compiler.connections import connect
from connectory.v1 import workflow_pb2

__all__ = ["compiled"]


def compiled(template: workflow_pb2.WorkflowTemplate) -> workflow_pb2.CompiledWorkflow:
    """A template with which of its nodes follows which."""
    result = workflow_pb2.CompiledWorkflow(template=template)
    connect(result)
    return result
