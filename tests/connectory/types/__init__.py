"""Tests of the types room."""
