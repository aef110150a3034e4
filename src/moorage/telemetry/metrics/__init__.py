"""Where metrics come from and go to."""
