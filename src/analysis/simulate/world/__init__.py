"""What happens in a simulated company: days, people, hours, opportunities, marketing, panels."""
