"""What marketing should do next of all that sales asks, and what not."""
