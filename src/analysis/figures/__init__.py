"""A tidy table in, the axes drawn on out; no figure knows a chapter."""
