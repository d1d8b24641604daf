"""The program in a task's container, `connectory-execute`: it finds the task again, runs it, and writes the result."""

from connectory.execute.arguments import Order, parse
from connectory.execute.run import execute

__all__ = ["Order", "execute", "parse"]
