"""The schema's history: one file in `versions` a step, never edited once released. There is no way back."""
