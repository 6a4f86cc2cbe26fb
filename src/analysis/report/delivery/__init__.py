"""Reports sent to their recipients: which may go out, to whom, how, and whether they arrived."""
