"""What is kept of executions that have ended, and for how long."""
