"""Processed tables and history on disk, the manifest, and what a notebook needs."""
