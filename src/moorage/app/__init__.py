"""The composition root: settings, wiring and process supervision. The only place where concrete classes meet."""
