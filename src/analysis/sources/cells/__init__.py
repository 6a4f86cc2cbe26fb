"""The cells of a column → values, in the one notation they are written in."""
