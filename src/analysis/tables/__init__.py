"""What every table and panel holds.

Columns with kind, unit and meaning, and how rows are judged.
"""
