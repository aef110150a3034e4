"""What instances of many models have in memory, as an operation of Moorage's own."""

from moorage.api.loaded_models.service import LoadedModels

__all__ = ["LoadedModels"]
