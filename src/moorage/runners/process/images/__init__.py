"""Which images are framework images, that is, run from our own runtime instead of by Docker, and what each needs.

The repository's name decides; the registry may be that of any account, region and partition, or none, because image
URIs come from `sagemaker.image_uris`, from Terraform modules and from people. What is known of frameworks and of AWS's
tags stands in `catalogue.py` as data.
"""

from moorage.runners.process.images.catalogue import FRAMEWORKS
from moorage.runners.process.images.framework import Framework, FrameworkImage
from moorage.runners.process.images.requirements import requirements
from moorage.runners.process.images.resolve import UnknownImage, resolve

__all__ = ["FRAMEWORKS", "Framework", "FrameworkImage", "UnknownImage", "requirements", "resolve"]
