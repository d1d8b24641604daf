"""What is registered, and which executions were asked for."""
