"""Results of tasks that are kept for those who need them again."""
