"""The side that runs in flytekit's environment: answers questions, one pickled tuple per frame, until its input ends.

A question is an operation, the name of an annotation in `shapes`, and what the operation needs; values are pickled, as
both sides are the same Python with the same shapes, and literals and their types travel as protobuf.
"""

import importlib
import logging
import os
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from flyteidl.core import literals_pb2  # noqa: E402
from flytekit.core.context_manager import FlyteContextManager  # noqa: E402 - quiet before flytekit speaks
from flytekit.core.type_engine import TypeEngine  # noqa: E402
from flytekit.models.literals import Literal  # noqa: E402

from tests.flytekit_peer.answering import answer_all  # noqa: E402


def _annotation(shapes, name):
    return importlib.import_module(shapes).annotations("flytekit")[name]


def declare(shapes, name):
    return TypeEngine.to_literal_type(_annotation(shapes, name)).to_flyte_idl().SerializeToString()


def write(shapes, name, value):
    context, annotation = FlyteContextManager.current_context(), _annotation(shapes, name)
    declared = TypeEngine.to_literal_type(annotation)
    value = importlib.import_module(shapes).native(name, value, "flytekit")
    return TypeEngine.to_literal(context, value, annotation, declared).to_flyte_idl().SerializeToString()


def write_older(shapes, name, value):
    os.environ["FLYTE_USE_OLD_DC_FORMAT"] = "true"
    try:
        return write(shapes, name, value)
    finally:
        del os.environ["FLYTE_USE_OLD_DC_FORMAT"]


def read(shapes, name, data):
    context, annotation = FlyteContextManager.current_context(), _annotation(shapes, name)
    literal = Literal.from_flyte_idl(literals_pb2.Literal.FromString(data))
    value = TypeEngine.to_python_value(context, literal, annotation)
    return importlib.import_module(shapes).comparable(name, value)


OPERATIONS = {"declare": declare, "write": write, "write_older": write_older, "read": read}


if __name__ == "__main__":
    answer_all(OPERATIONS)
