"""Runs in the environment that has flytekit: compiles modules' `wf` and prints the protobufs as JSON."""

import collections
import importlib
import json
import sys

from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.tools.translator import get_serializable


def compiled(module: str) -> dict:
    settings = SerializationSettings(
        project="p", domain="d", version="v", env=None, image_config=ImageConfig.auto(img_name="image:1")
    )
    entities = collections.OrderedDict()
    spec = get_serializable(entities, settings, importlib.import_module(module).wf).to_flyte_idl()
    tasks = [e.to_flyte_idl().template for e in entities.values() if type(e).__name__ == "TaskSpec"]
    return {
        "workflow": spec.template.SerializeToString().hex(),
        "sub_workflows": [sub.SerializeToString().hex() for sub in spec.sub_workflows],
        "tasks": [template.SerializeToString().hex() for template in tasks],
    }


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    results = {}
    for module in sys.argv[2:]:
        try:
            results[module] = compiled(module)
        except Exception as error:
            results[module] = {"error": f"{type(error).__name__}: {error}"}
    json.dump(results, sys.stdout)
