"""The loop that watches alarms, and what it does when one changes its state."""
