"""A file as received → a typed table: formats, field maps, cells."""
