"""Typed tables → clean tables, quarantine and audit, every row accounted for."""
