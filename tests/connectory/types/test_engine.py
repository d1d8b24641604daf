"""Transformers in the form of Flyte's SDK: what its documents show, with the imports changed."""

import asyncio
import typing
import uuid
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pytest

from connectory import task, workflow
from connectory.errors import RegistryError, TypeConversionError
from connectory.types import ConversionContext, OutputMetadata, OutputMetadataTracker, TypeRegistry, default_types
from connectory.types.engine import (
    AsyncTypeTransformer,
    FlyteContext,
    FlyteContextManager,
    TypeEngine,
    TypeTransformer,
    TypeTransformerFailedError,
    process_types,
)
from connectory.types.models import (
    Blob,
    BlobMetadata,
    BlobType,
    Literal,
    LiteralCollection,
    LiteralType,
    Primitive,
    Scalar,
    SimpleType,
)
from connectory.v1 import literals_pb2, types_pb2


class MyDataset:
    """A folder of files with a type of its own."""

    def __init__(self, base_dir: str) -> None:
        self.base_dir = base_dir

    def files(self) -> list[str]:
        return sorted(path.name for path in Path(self.base_dir).iterdir())


class MyDatasetTransformer(TypeTransformer[MyDataset]):
    _TYPE_INFO = BlobType(format="binary", dimensionality=BlobType.BlobDimensionality.MULTIPART)

    def __init__(self) -> None:
        super().__init__(name="mydataset-transform", t=MyDataset)

    def get_literal_type(self, t: type[MyDataset]) -> LiteralType:
        return LiteralType(blob=self._TYPE_INFO)

    def to_literal(
        self, ctx: FlyteContext, python_val: MyDataset, python_type: type[MyDataset], expected: LiteralType
    ) -> Literal:
        remote_dir = ctx.file_access.get_random_remote_directory()
        ctx.file_access.upload_directory(python_val.base_dir, remote_dir)
        return Literal(scalar=Scalar(blob=Blob(uri=remote_dir, metadata=BlobMetadata(type=self._TYPE_INFO))))

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: type[MyDataset]) -> MyDataset:
        local_dir = ctx.file_access.get_random_local_directory()
        ctx.file_access.download_directory(lv.scalar.blob.uri, local_dir)
        return MyDataset(base_dir=local_dir)

    def guess_python_type(self, literal_type: LiteralType) -> type[MyDataset]:
        if literal_type.blob is not None and literal_type.blob.format == "binary":
            return MyDataset
        raise ValueError(f"{literal_type} is another's")


class Celsius(float):
    pass


class Kelvin(Celsius):
    pass


class CelsiusTransformer(AsyncTypeTransformer[Celsius]):
    def __init__(self) -> None:
        super().__init__("celsius", Celsius)

    def get_literal_type(self, t: Any) -> LiteralType:
        return LiteralType(simple=SimpleType.FLOAT, metadata={"unit": "°C"})

    async def async_to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
        await asyncio.sleep(0)
        return Literal(scalar=Scalar(primitive=Primitive(float_value=python_val)))

    async def async_to_python_value(self, ctx: Any, lv: Any, expected_python_type: Any) -> Any:
        assert lv.scalar.binary is None
        assert lv.collection is None
        assert FlyteContextManager.current_context() is ctx
        return expected_python_type(lv.scalar.primitive.float_value)


TypeEngine.register(MyDatasetTransformer())
TypeEngine.register(CelsiusTransformer())

CTX = ConversionContext(raw_output_prefix="memory://engine")


def crossed(value: Any, annotation: Any) -> Any:
    literal = TypeEngine.to_literal(FlyteContext(CTX), value, annotation, TypeEngine.to_literal_type(annotation))
    return TypeEngine.to_python_value(FlyteContext(CTX), literal, annotation)


@pytest.fixture
def dataset(tmp_path: Path) -> MyDataset:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    return MyDataset(str(tmp_path))


def test_a_type_of_ones_own_crosses(dataset: MyDataset) -> None:
    result = crossed(dataset, MyDataset)
    assert result.base_dir != dataset.base_dir
    assert result.files() == ["a", "b"]


def test_it_is_a_part_of_other_types(dataset: MyDataset) -> None:
    assert [one.files() for one in crossed([dataset], list[MyDataset])] == [["a", "b"]]
    assert crossed({"x": dataset}, dict[str, MyDataset])["x"].files() == ["a", "b"]
    assert crossed(None, Optional[MyDataset]) is None  # noqa: UP045 - as people write it
    assert crossed(dataset, MyDataset | int).files() == ["a", "b"]
    declared = TypeEngine.to_literal_type(MyDataset | None)
    assert declared.union_type.variants[0].structure.tag == "mydataset-transform"


def test_it_is_recognized_by_its_declared_type() -> None:
    assert TypeEngine.guess_python_type(TypeEngine.to_literal_type(MyDataset)) is MyDataset
    assert TypeEngine.guess_python_type(TypeEngine.to_literal_type(list[int])) == list[int]
    assert TypeEngine.get_transformer(MyDataset).name == "mydataset-transform"
    assert {MyDataset, int} <= set(TypeEngine.get_available_transformers())


def test_tasks_and_workflows_use_it(dataset: MyDataset) -> None:
    @task
    def names(data: MyDataset) -> list[str]:
        return data.files()

    @workflow
    def count(data: MyDataset) -> list[str]:
        return names(data=data)

    assert names(data=dataset) == ["a", "b"]
    assert count(data=dataset) == ["a", "b"]


def test_a_value_of_another_type_is_refused_with_both_types() -> None:
    with pytest.raises(TypeConversionError, match="expected MyDataset, got 3 of type int"):
        crossed(3, MyDataset)


@pytest.mark.parametrize("running", [False, True])
async def test_coroutines_are_completed_with_and_without_a_loop(running: bool) -> None:
    assert (crossed(Celsius(3), Celsius) if running else await asyncio.to_thread(crossed, Celsius(3), Celsius)) == 3


def test_subclasses_belong_to_the_transformer() -> None:
    assert type(crossed(Kelvin(3), Kelvin)) is Kelvin


def test_whatever_a_transformer_raises_is_a_conversion_error() -> None:
    class Odd:
        pass

    class OddTransformer(TypeTransformer[Odd]):
        def __init__(self) -> None:
            super().__init__("odd", Odd)

        def get_literal_type(self, t: Any) -> LiteralType:
            return LiteralType(simple=SimpleType.STRING)

        def to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
            raise AssertionError("odd values are never written")

        def to_python_value(self, ctx: Any, lv: Any, expected_python_type: Any) -> Any:
            raise TypeTransformerFailedError("odd values are never read")

    TypeEngine.register(OddTransformer())
    with pytest.raises(TypeConversionError, match="AssertionError: odd values are never written"):
        crossed(Odd(), Odd)
    with pytest.raises(TypeConversionError, match="odd values are never read"):
        TypeEngine.to_python_value(None, TypeEngine.to_literal(None, "x", str), Odd)


def test_a_class_has_one_transformer_unless_told() -> None:
    with pytest.raises(RegistryError, match="both FlyteStyle and FlyteStyle convert MyDataset"):
        TypeEngine.register(MyDatasetTransformer())
    TypeEngine.register_additional_type(MyDatasetTransformer(), MyDataset, override=True)


def test_an_annotation_may_bring_its_transformer() -> None:
    class Code(str):
        pass

    class CodeTransformer(TypeTransformer[Code]):
        def __init__(self) -> None:
            super().__init__("code", Code)

        def get_literal_type(self, t: Any) -> LiteralType:
            return LiteralType(simple=SimpleType.STRING)

        def to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
            return Literal(scalar=Scalar(primitive=Primitive(string_value=python_val.upper())))

        def to_python_value(self, ctx: Any, lv: Any, expected_python_type: Any) -> Any:
            return Code(lv.scalar.primitive.string_value)

    assert crossed(Code("abc"), typing.Annotated[Code, CodeTransformer()]) == "ABC"


def test_messages_are_made_and_viewed_under_flytes_names() -> None:
    inner = Literal(scalar=Scalar(primitive=Primitive(integer=3)), hash="h", metadata={"k": "v"})
    assert isinstance(inner, literals_pb2.Literal)
    assert isinstance(inner, Literal)
    nested = Literal(collection=LiteralCollection([inner, inner]))
    assert [part.scalar.primitive.integer for part in nested.collection.literals] == [3, 3]
    assert LiteralType(simple=SimpleType.NONE).WhichOneof("type") == "simple"


def test_named_tuples_declare_outputs() -> None:
    class Outputs(NamedTuple):
        total: int
        names: list[str]

    variables = TypeEngine.named_tuple_to_variable_map(Outputs).variables
    assert {name: variables[name].description for name in variables} == {"total": "0", "names": "1"}
    assert variables["names"].type.collection_type.simple == types_pb2.STRING


def test_maps_cross() -> None:
    literals = TypeEngine.dict_to_literal_map(FlyteContext(CTX), {"x": 1, "y": [2]}, {"y": list[int]})
    assert TypeEngine.literal_map_to_kwargs(FlyteContext(CTX), literals, {"x": int, "y": list[int]}) == {
        "x": 1,
        "y": [2],
    }
    with pytest.raises(TypeConversionError, match="unknown y"):
        TypeEngine.literal_map_to_kwargs(None, literals, {"x": int})


def test_the_engine_is_the_registry_that_tasks_use() -> None:
    assert isinstance(process_types(), TypeRegistry)
    assert process_types() is process_types()
    assert default_types() is not process_types()


def test_what_a_task_says_about_its_outputs_travels_with_them() -> None:
    class Card:
        def serialize_to_string(self, ctx: Any, variable_name: str) -> tuple[str, str]:
            return "card", f"about {variable_name}"

    tracker, value = OutputMetadataTracker(), ["a"]
    tracker.add(
        value, OutputMetadata(entries={"k": "v"}, additional_items=[Card()], dynamic_partitions={"region": "x"})
    )
    ctx = ConversionContext(output_metadata=tracker)
    types = default_types()
    variables = TypeEngine.named_tuple_to_variable_map(NamedTuple("O", [("o0", list[str]), ("o1", list[str])]))  # type: ignore[misc]
    literals = types.map_to_literals({"o0": value, "o1": ["a"]}, variables, ctx)
    recorded = dict(literals.literals["o0"].metadata)
    assert {recorded["k"], recorded["card"]} == {"v", "about o0"}
    assert "_uap" in recorded
    assert not literals.literals["o1"].metadata


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A distribution that offers a transformer by entry point."""
    name = f"offered_{uuid.uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(
        "from connectory.types.engine import TypeTransformer\n"
        "from connectory.types.models import Literal, LiteralType, Primitive, Scalar, SimpleType\n"
        "class Tag(str): pass\n"
        "class TagTransformer(TypeTransformer):\n"
        "    def __init__(self): super().__init__('tag', Tag)\n"
        "    def get_literal_type(self, t): return LiteralType(simple=SimpleType.STRING)\n"
        "    def to_literal(self, ctx, v, t, e): return Literal(scalar=Scalar(primitive=Primitive(string_value=v)))\n"
        "    def to_python_value(self, ctx, lv, t): return Tag(lv.scalar.primitive.string_value)\n"
        "broken = 3\n"
    )
    info = tmp_path / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[connectory.types]\ntag = {name}:TagTransformer\n")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_installed_transformers_are_found_when_an_annotation_is_not_known(installed: str) -> None:
    module = __import__(installed)
    types = default_types()
    literal = types.to_literal(module.Tag("x"), types.literal_type(module.Tag), CTX, annotation=module.Tag)
    assert type(types.to_python(literal, module.Tag, CTX)) is module.Tag


def test_an_installed_transformer_that_cannot_be_loaded_is_named(installed: str, tmp_path: Path) -> None:
    entries = tmp_path / f"{installed}-1.0.dist-info" / "entry_points.txt"
    entries.write_text(f"[connectory.types]\ntag = {installed}:broken\n")
    with pytest.raises(RegistryError, match=f"entry point 'tag' \\({installed}:broken\\) cannot be loaded"):
        default_types().literal_type(complex)
