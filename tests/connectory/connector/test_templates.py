import pytest

from connectory.connector.registry import Registry
from connectory.connector.templates import LARGEST, MOST, KnownTemplates
from connectory.errors import InvalidTaskError, TypeConversionError
from connectory.v1 import literals_pb2, tasks_pb2, types_pb2
from tests.connectory.connector.fakes import FakeConnector


def _template(name: str = "", **inputs: int) -> tasks_pb2.TaskTemplate:
    template = tasks_pb2.TaskTemplate(type="fake")
    template.id.name = name
    for key, simple in inputs.items():
        template.interface.inputs.variables[key].type.simple = simple  # type: ignore[assignment]
    return template


def _registry() -> Registry:
    registry = Registry()
    registry.register(FakeConnector())
    return registry


def _literals(**values: int | str) -> literals_pb2.LiteralMap:
    literals = literals_pb2.LiteralMap()
    for name, value in values.items():
        primitive = literals.literals[name].scalar.primitive
        if isinstance(value, str):
            primitive.string_value = value
        else:
            primitive.integer = value
    return literals


def test_a_template_is_learnt_once_and_another_one_apart() -> None:
    route, templates = _registry().route("fake", 0), KnownTemplates()
    first = templates.of(route, _template(n=types_pb2.INTEGER))
    assert templates.of(route, _template(n=types_pb2.INTEGER)) is first
    other = templates.of(route, _template(n=types_pb2.STRING))
    first.check(_literals(n=1))
    other.check(_literals(n="one"))
    with pytest.raises(TypeConversionError, match="expected str, got int"):
        other.check(_literals(n=1))


def test_a_connector_that_takes_the_category_over_learns_anew() -> None:
    registry, templates = _registry(), KnownTemplates()
    before = templates.of(registry.route("fake", 0), _template())
    registry.register(FakeConnector(), override=True)
    after = templates.of(registry.route("fake", 0), _template())
    assert after is not before
    assert after.route.registration is registry.route("fake", 0).registration


def test_a_config_that_does_not_fit_is_refused_each_time() -> None:
    route, templates = _registry().route("fake", 0), KnownTemplates()
    template = _template()
    template.custom.fields["no_such_field"].string_value = "x"
    for _ in range(2):
        with pytest.raises(InvalidTaskError, match="no_such_field"):
            templates.of(route, template)


def test_neither_many_nor_large_templates_fill_the_memory() -> None:
    route, templates = _registry().route("fake", 0), KnownTemplates()
    large = _template("x" * (LARGEST + 1))
    assert templates.of(route, large) is not templates.of(route, large)
    for number in range(2 * MOST):
        templates.of(route, _template(f"t{number}"))
    assert len(templates._known) <= MOST


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (_literals(n=1), "missing s"),
        (_literals(n=1, s="a", more=1), "unknown more"),
        (_literals(n="1", s="a"), "n: "),
        (_literals(n=1, other="a"), "missing s"),
    ],
)
def test_inputs_that_do_not_fit_are_named(given: literals_pb2.LiteralMap, complaint: str) -> None:
    known = KnownTemplates().of(_registry().route("fake", 0), _template(n=types_pb2.INTEGER, s=types_pb2.STRING))
    with pytest.raises(TypeConversionError, match=complaint):
        known.check(given)
