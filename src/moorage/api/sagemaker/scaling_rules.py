"""What an update may not do to variants that are scaled.

Source: SageMaker developer guide, "Update or delete endpoints that use automatic scaling": the instance type of a
variant stays while it is registered as a scalable target; another model is no obstacle.
"""

from __future__ import annotations

from collections.abc import Iterable

from moorage.api.sagemaker.errors import scaled_variant
from moorage.core.model import Endpoint, Variant
from moorage.core.scaling.model import TargetKey
from moorage.store.base import Transaction
from moorage.store.scaling import find_target


def check_scaled_variants(tx: Transaction, endpoint: Endpoint, wanted: Iterable[Variant]) -> None:
    """Raise ValidationException where a variant that is a scalable target would get another instance type."""
    serving = endpoint.serving.variants if endpoint.serving else ()
    present = {variant.name: variant.instance_type for variant in serving}
    for variant in wanted:
        if present.get(variant.name, variant.instance_type) == variant.instance_type:
            continue
        key = TargetKey(endpoint.key.region, f"endpoint/{endpoint.key.name}/variant/{variant.name}")
        target = find_target(tx, key)
        if target is not None and target.endpoint_uid == endpoint.uid:
            raise scaled_variant(variant.name, endpoint.arn)
