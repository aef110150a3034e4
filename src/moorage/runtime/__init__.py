"""The model server inside an instance. Imports nothing of Moorage but `wire`, so that it can travel alone."""
