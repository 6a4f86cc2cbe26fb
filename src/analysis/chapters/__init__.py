"""What the report answers with.

A folder a notebook, a table in, a frozen result with interval, n and kind out.
"""
