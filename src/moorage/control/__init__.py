"""The loops that make the world match what the API accepted."""
