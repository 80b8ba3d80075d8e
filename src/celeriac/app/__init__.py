"""What users hold in their hands: the app, tasks, signatures, results."""
