"""Telling people that an execution has ended."""
