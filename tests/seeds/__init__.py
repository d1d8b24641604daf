"""The code that documents about Flyte show, with its imports changed and what it leaves out completed."""
