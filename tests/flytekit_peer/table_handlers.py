"""Which handler either SDK finds for a dataframe's class, a protocol and a format, whatever was registered before.

Run by both sides, each in its own process, with the name of the SDK; prints what it found as JSON.
"""

import importlib
import itertools
import json
import sys

HOMES = {"connectory": "connectory.types.structured", "flytekit": "flytekit.types.structured.structured_dataset"}
HANDLERS = list(itertools.product([None, "s3", "bq"], ["", "a", "b"]))
QUESTIONS = list(itertools.product(["s3", "bq", "file"], ["", "a", "b", "c"]))


def found(sdk):
    home = importlib.import_module(HOMES[sdk])

    class Encoder(home.StructuredDatasetEncoder):
        def encode(self, ctx, structured_dataset, structured_dataset_type):
            raise NotImplementedError

    answers = {}
    for size in (1, 2, 3):
        for chosen in itertools.combinations(HANDLERS, size):
            for default in (False, True):
                answers |= _asked(home.StructuredDatasetTransformerEngine, Encoder, chosen, default)
    return answers


def _asked(engine, encoder, chosen, default):
    """What is found once these are registered for a class of their own, the first as the default format."""
    frame = type("Frame", (), {})
    for number, (protocol, format) in enumerate(chosen):
        engine.register(encoder(frame, protocol, format), default_format_for_type=default and number == 0)
    return {f"{chosen} {default} {question}": _answer(engine, frame, *question) for question in QUESTIONS}


def _answer(engine, frame, protocol, format):
    try:
        handler = engine.get_encoder(frame, protocol, format)
    except ValueError:
        return "none"
    return f"{handler.protocol} {handler.supported_format}"


if __name__ == "__main__":
    print(json.dumps(found(sys.argv[1])))
