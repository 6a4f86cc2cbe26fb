"""Commands of the command line, by subject, and how each of them ends."""
