"""The control API of a runner: register, start, look at and end executions from other processes."""
