"""What an instance is confined to, decided by what this machine can do. `moorage.runtime.sandbox` does it."""
