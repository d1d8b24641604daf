"""Clients of the services that this project defines."""
