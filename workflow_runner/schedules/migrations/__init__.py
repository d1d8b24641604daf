"""The tables of schedules, version by version."""
