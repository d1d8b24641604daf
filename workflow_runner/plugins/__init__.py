"""Plugins: the ways in which tasks are carried out."""
