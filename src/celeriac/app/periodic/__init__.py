"""Entries of a beat: what is to be sent when, how it is stored, and how it is changed while schedulers run."""
