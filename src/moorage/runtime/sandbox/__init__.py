"""What a forked child confines itself to before any of a model's code runs.

Standard library and ctypes only, since all of the runtime is copied into environments of other packages. `plan.py` is
what the child is told (by `runners/process/isolation`, which decides by what `probe.py` found the machine can do),
`enter.py` is the order in which it is done, and each other file is one means of the kernel's.

Nothing here falls back to less: what cannot be done raises `SandboxFailed`. Deciding for less, and saying so, is the
agent's.
"""
