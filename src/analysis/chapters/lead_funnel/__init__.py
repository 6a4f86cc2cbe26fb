"""Where deals come from, and what is lost on the way."""
