"""What annotations demand: arguments and results that are checked, and secrets that are not shown."""
