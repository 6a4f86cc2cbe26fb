"""What the report answers with: a table in, a frozen result with interval, n and kind out."""
