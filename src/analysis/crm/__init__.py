"""Exports as received → clean tables, every row accounted for."""
