"""What a dynamic task leaves behind when it runs: the nodes that are to be run in its place."""

from collections.abc import Mapping
from typing import Any

from connectory.authoring.conversion import conversion_context, type_registry
from connectory.authoring.dynamic import DynamicTask
from connectory.authoring.refusals import refusing
from connectory.authoring.resolving import outputs_without_nodes
from connectory.authoring.template import CompileSettings
from connectory.compiler.compilation import Compilation
from connectory.compiler.launch_plans import compile_launch_plan, launch_plans_in
from connectory.v1 import literals_pb2, workflow_pb2

__all__ = ["compile_dynamic"]


@refusing
def compile_dynamic(
    task: DynamicTask[..., Any],
    inputs: literals_pb2.LiteralMap | Mapping[str, Any],
    *,
    project: str = "default",
    domain: str = "development",
    version: str = "",
    image: str = "connectory",
    environment: Mapping[str, str] | None = None,
    distribution: str = "",
    distribution_folder: str = ".",
) -> workflow_pb2.DynamicJobSpec | literals_pb2.LiteralMap:
    """The nodes, tasks and sub-workflows for these inputs, as literals or native values; without nodes, the outputs."""
    if isinstance(inputs, literals_pb2.LiteralMap):
        inputs = type_registry().map_to_python(
            inputs, task.typed_interface.inputs, conversion_context(), task.interface.inputs
        )
    graph = task.build(inputs)
    if not graph.nodes:
        return outputs_without_nodes(graph.outputs)
    settings = CompileSettings(
        project=project,
        domain=domain,
        version=version,
        image=image,
        environment=environment or {},
        distribution=distribution,
        distribution_folder=distribution_folder,
    )
    compilation = Compilation(settings)
    nodes = compilation.nodes(graph)
    plans = launch_plans_in(graph)
    for plan in plans:
        compilation.workflow(plan.workflow)
    return workflow_pb2.DynamicJobSpec(
        nodes=nodes,
        min_successes=len(nodes),
        outputs=graph.outputs,
        tasks=compilation.templates(),
        subworkflows=[compiled.template for compiled in compilation.sub_workflows()],
        launch_plans=[
            compile_launch_plan(plan, project=project, domain=domain, version=version).SerializeToString(
                deterministic=True
            )
            for plan in plans
        ],
    )
