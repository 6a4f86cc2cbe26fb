"""Executed notebooks → the PDF, the workbook and the index that people read."""
