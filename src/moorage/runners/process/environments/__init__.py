"""The Pythons that instances run in: one isolated environment a framework version, built by uv when first wanted."""
