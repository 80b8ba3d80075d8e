"""Workflows as pictures: of a signature before it runs, of the results after; in DOT, Mermaid and text."""
