"""The real flytekit in a process of its own, asked over pipes: what it declares, writes and reads."""
