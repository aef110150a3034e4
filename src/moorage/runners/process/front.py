"""What the front of an instance is told: `moorage.runtime.front` is the front."""

from __future__ import annotations

from typing import Any

from moorage.core.model import InstanceSpec
from moorage.runners.process.place import Places


def front_launch(spec: InstanceSpec, places: Places) -> dict[str, Any]:
    """The contents of the `launch.json` of the front of an instance with several containers."""
    main = places.main
    return {
        "socket": str(main.socket),
        "log": str(main.log),
        "model_folder": str(main.folder.work / "model"),
        "work_folder": str(main.folder.work),
        "environment": {"LANG": "C.UTF-8"},
        "front": {
            "mode": spec.variant.execution_mode.value,
            "containers": [
                {"name": place.container, "socket": str(place.socket), "is_multi_model": container.is_multi_model}
                for container, place in zip(spec.variant.containers, places.containers, strict=True)
            ],
        },
    }
