"""One folder for each technology; its client library is imported nowhere else."""
