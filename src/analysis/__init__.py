"""Sales and marketing alignment, answered from CRM exports."""
