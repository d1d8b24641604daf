"""Dataframes of several libraries, stored as tables. Importing this loads none of the libraries."""
