"""Tests of the templating room."""
