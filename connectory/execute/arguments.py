"""The command line that an engine fills in and runs."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Order", "parse"]


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be executed, and where everything is. All places are URLs or local paths."""

    inputs: str
    output_prefix: str
    resolver: str
    loader_args: tuple[str, ...]
    raw_output_prefix: str = ""
    checkpoint_path: str = ""
    previous_checkpoint: str = ""
    distribution: str = ""
    """An archive with the task's code; empty: the image has it."""
    distribution_folder: str = "."


def parse(words: Sequence[str]) -> Order:
    """Read a command line; a wrong one ends the program with code 2 and a line that says what is expected.

    What follows the first `--` belongs to the resolver as it is.
    """
    cut = list(words).index("--") if "--" in words else len(words)
    given = _parser().parse_args(words[:cut])
    return Order(
        inputs=given.inputs,
        output_prefix=given.output_prefix,
        resolver=given.resolver,
        loader_args=tuple(words[cut + 1 :]),
        raw_output_prefix=_filled(given.raw_output_data_prefix),
        checkpoint_path=_filled(given.checkpoint_path),
        previous_checkpoint=_filled(given.prev_checkpoint),
        distribution=_filled(given.dynamic_addl_distro),
        distribution_folder=_filled(given.dynamic_dest_dir) or ".",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="connectory-execute",
        description="Run one task in this process; what follows -- tells the resolver which.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--inputs", required=True, help="where the inputs are, a LiteralMap")
    add("--output-prefix", required=True, help="below which outputs.pb or error.pb, and the decks, are written")
    add("--raw-output-data-prefix", default="", help="below which files and tables that are outputs are stored")
    add("--checkpoint-path", default="", help="below which this attempt's checkpoint is written")
    add("--prev-checkpoint", default="", help="below which the previous attempt's checkpoint is")
    add("--resolver", required=True, help="the dotted name of the object that finds the task")
    add("--dynamic-addl-distro", default="", help="an archive (tar.gz) with the task's code, unpacked before")
    add("--dynamic-dest-dir", default="", help="the folder into which it is unpacked")
    return parser


def _filled(value: str) -> str:
    """A place, or nothing where the engine left it empty, quoted an empty text, or did not know the template."""
    return "" if value in ('""', "''") or value.startswith("{{") else value
