"""The front of an instance with several containers: a process of its own that answers for all of them.

It runs none of the user's code. To the gateway and the agent it is the instance; behind it each container is a process
of its own, on a Unix socket of its own, and knows nothing of the others.
"""
