"""Workflows as plain data, and what is decided about them: pure, no app, no store."""
