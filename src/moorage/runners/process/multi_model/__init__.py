"""The agent's side of instances with many models: it asks them what they want, has it fetched, and brings it.

`moorage.runtime.multi_model` is the other side.
"""
