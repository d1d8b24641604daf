"""The program in a task's container, `connectory-execute`: it finds the task again, runs it, and writes the result.

What only names its files imports none of it.
"""
