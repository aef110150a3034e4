"""An instance that serves many models: it says which ones it wants, is handed them, and lets go of the least used.

`shelf` decides what stays, `wants` says what is missing, `models` does it; `routes` is the HTTP of all of it. The host
agent is the other side (`runners.process.multi_model`): it asks this instance what it wants, never the other way round,
so that an instance needs no way out.
"""
