"""What came in, what was set aside, and what the data can therefore answer."""
