"""Reports to those they are meant for: what may go out, to whom, how, and what became of it."""
