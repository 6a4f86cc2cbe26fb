"""What goes wrong in real exports, planted on purpose and counted."""
