from connectory.authoring import Workflow, task, workflow
from connectory.authoring.node import Node
from connectory.authoring.promise import Promise


@task
def greet(name: str) -> str:
    return f"Hello, {name}!"


@task
def capitalize(text: str) -> str:
    return text.upper()


@workflow
def greeting_workflow(name_input: str) -> str:
    # Task calls within a workflow define nodes and dependencies
    greeting = greet(name=name_input)
    capitalized_greeting = capitalize(text=greeting)
    return capitalized_greeting  # noqa: RET504


wb = Workflow(name="my_imperative_workflow")
wb.add_workflow_input("name_input", str)

# Add tasks as nodes
greet_node = wb.add_entity(greet, name=wb.inputs["name_input"])
capitalize_node = wb.add_entity(capitalize, text=greet_node.outputs["o0"])

# Define workflow outputs
wb.add_workflow_output("final_greeting", capitalize_node.outputs["o0"])

assert isinstance(greet_node, Node)
assert isinstance(greet_node.outputs["o0"], Promise)
