"""Launch plans that start by themselves."""
