"""The simulated company as files: what its CRM exports and what people keep by hand."""
