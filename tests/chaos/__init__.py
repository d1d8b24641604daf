"""Real processes are killed at random moments, and what they did to an external system is counted."""
