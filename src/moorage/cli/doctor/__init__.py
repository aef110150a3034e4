"""`moorage doctor`: every check looks at the machine itself; what cannot be looked at is not reported."""
