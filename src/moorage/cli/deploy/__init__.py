"""`moorage deploy`: pack a model, then walk it through the public API until its endpoint serves.

`packing` makes the archive, `artefact` uploads it, `hosting` makes the SageMaker resources and waits, `naming` names
and recognises them, `frameworks` chooses the image; `command` is the order of the steps.
"""
