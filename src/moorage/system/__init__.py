"""Clock, randomness, files and logging: what touches the machine, so that nothing else has to."""
