"""Running the code of Python tasks: in worker processes, or in threads."""
