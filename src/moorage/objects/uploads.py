"""Uploads in parts: begun, filled in any order, completed into an object that takes the parts' blobs as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from moorage.objects import bucket_rows, listing, upload_rows
from moorage.objects.checksums import Algorithm, Checksum, Coverage, composite, full_object, multipart_etag
from moorage.objects.conditions import UNCONDITIONAL, WriteCondition
from moorage.objects.errors import Reason, Rejected
from moorage.objects.index import Index, Transaction
from moorage.objects.intake import Intake, Payload
from moorage.objects.listing import Listing, Selection
from moorage.objects.objects import write
from moorage.objects.records import NO_ATTRIBUTES, Attributes, Extent, ObjectVersion, Part, PartClaim, Upload
from moorage.objects.version_rows import Draft
from moorage.system.clock import Clock
from moorage.system.entropy import new_uid

PART_BYTES_MIN = 5 * 1024 * 1024
"""Of every part but the last."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What the one who completes an upload says the object is made of, and is."""

    parts: Sequence[PartClaim]
    checksum: Checksum | None = None
    """Of the whole, by the upload's algorithm and coverage."""
    size: int | None = None
    condition: WriteCondition = UNCONDITIONAL


class Uploads:
    """The uploads of all buckets. Every method raises StorageUnavailable; those with an id Rejected(NO_SUCH_UPLOAD)."""

    def __init__(self, index: Index, *, intake: Intake, clock: Clock) -> None:
        self._index = index
        self._intake = intake
        self._clock = clock

    async def begin(
        self,
        bucket: str,
        key: str,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        algorithm: Algorithm = Algorithm.CRC64NVME,
        coverage: Coverage = Coverage.FULL_OBJECT,
        is_sealed: bool | None = None,
    ) -> Upload:
        """Begin an upload. `is_sealed` None: as the bucket has it. Raises Rejected(NO_SUCH_BUCKET)."""
        now = self._clock.now()

        def work(transaction: Transaction) -> Upload:
            seals = bucket_rows.get(transaction, bucket).seals_by_default
            upload = Upload(
                upload_id=_new_upload_id(now),
                bucket=bucket,
                key=key,
                initiated_at=now,
                attributes=attributes,
                algorithm=algorithm,
                coverage=coverage,
                is_sealed=seals if is_sealed is None else is_sealed,
            )
            upload_rows.add(transaction, upload)
            return upload

        return await self._index.run(work)

    async def find(self, bucket: str, key: str, upload_id: str) -> Upload:
        """Look at an upload."""
        return await self._index.run(lambda transaction: upload_rows.get(transaction, bucket, key, upload_id))

    async def put_part(self, upload: Upload, number: int, *, payload: Payload) -> Part:
        """Write a part, in the place of an earlier one of its number. Raises Rejected for content not as promised."""
        async with self._intake.receive(payload, keep=upload.algorithm, is_sealed=upload.is_sealed) as taken:
            part = Part(number, taken.blob, taken.md5, taken.checksum, self._clock.now())

            def work(transaction: Transaction) -> Part:
                upload_rows.get(transaction, upload.bucket, upload.key, upload.upload_id)
                upload_rows.put_part(transaction, upload, part)
                return part

            return await self._index.run(work)

    async def parts(self, upload: Upload, *, after: int, limit: int) -> Sequence[Part]:
        """Up to `limit` parts with numbers above `after`, in order."""
        return await self._index.run(
            lambda transaction: upload_rows.parts_of(transaction, upload, after=after, limit=limit)
        )

    async def complete(self, bucket: str, key: str, upload_id: str, *, completion: Completion) -> ObjectVersion:
        """Make the object of the parts named.

        Raises Rejected(INVALID_PART, PARTS_OUT_OF_ORDER, PART_TOO_SMALL, SIZE_MISMATCH, CHECKSUM_MISMATCH) and for an
        unmet condition; the upload then stays as it is.
        """
        now = self._clock.now()

        def work(transaction: Transaction) -> ObjectVersion:
            upload = upload_rows.get(transaction, bucket, key, upload_id)
            parts = choose(upload, upload_rows.parts_of(transaction, upload), completion.parts)
            draft = _assemble(upload, parts, now=now)
            _check_whole(draft, completion)
            upload_rows.remove(transaction, upload, keeping=frozenset(part.blob.id for part in parts))
            return write(transaction, bucket, draft, condition=completion.condition)

        return await self._index.run(work)

    async def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """End an upload and remove its parts."""

        def work(transaction: Transaction) -> None:
            upload_rows.remove(transaction, upload_rows.get(transaction, bucket, key, upload_id))

        await self._index.run(work)

    async def list(
        self, selection: Selection, *, after_key: str = "", after_upload: str | None = None
    ) -> Listing[Upload]:
        """A page of uploads under way. Raises Rejected(NO_SUCH_BUCKET)."""

        return await self._index.run(
            lambda transaction: listing.list_uploads(
                transaction, selection, after_key=after_key, after_upload=after_upload
            )
        )


def choose(upload: Upload, parts: Sequence[Part], claims: Sequence[PartClaim]) -> Sequence[Part]:
    """The parts that `claims` name. Raises Rejected(INVALID_PART, PARTS_OUT_OF_ORDER, PART_TOO_SMALL)."""
    if any(earlier.number >= later.number for earlier, later in pairwise(claims)):
        raise Rejected(Reason.PARTS_OUT_OF_ORDER, upload_id=upload.upload_id)
    by_number = {part.number: part for part in parts}
    chosen = [_claimed(upload, by_number.get(claim.number), claim) for claim in claims]
    for part in chosen[:-1]:
        if part.blob.size < PART_BYTES_MIN:
            raise Rejected(
                Reason.PART_TOO_SMALL, number=part.number, etag=part.etag, size=part.blob.size, minimum=PART_BYTES_MIN
            )
    return chosen


def _claimed(upload: Upload, part: Part | None, claim: PartClaim) -> Part:
    if part is None or part.etag != claim.etag or not _fits(part.checksum, claim.checksum):
        raise Rejected(Reason.INVALID_PART, upload_id=upload.upload_id, number=claim.number, etag=claim.etag)
    return part


def _fits(kept: Checksum, claimed: Checksum | None) -> bool:
    return claimed is None or claimed.algorithm is not kept.algorithm or claimed.value == kept.value


def _assemble(upload: Upload, parts: Sequence[Part], *, now: datetime) -> Draft:
    return Draft(
        key=upload.key,
        modified_at=now,
        size=sum(part.blob.size for part in parts),
        etag=multipart_etag([part.etag for part in parts]),
        checksum=_whole_checksum(upload, parts),
        is_sealed=upload.is_sealed,
        part_count=len(parts),
        attributes=upload.attributes,
        extents=[Extent(number, part.blob, part.checksum) for number, part in enumerate(parts, start=1)],
    )


def _whole_checksum(upload: Upload, parts: Sequence[Part]) -> Checksum:
    if upload.coverage is Coverage.COMPOSITE:
        return composite(upload.algorithm, [part.checksum.value for part in parts])
    return full_object(upload.algorithm, [(part.checksum.value, part.blob.size) for part in parts])


def _check_whole(draft: Draft, completion: Completion) -> None:
    if completion.size is not None and completion.size != draft.size:
        raise Rejected(Reason.SIZE_MISMATCH, expected=completion.size, received=draft.size)
    computed, claimed = draft.checksum, completion.checksum
    if computed is None or claimed is None:
        return
    if (computed.algorithm, computed.value) != (claimed.algorithm, claimed.value):
        raise Rejected(
            Reason.CHECKSUM_MISMATCH, algorithm=claimed.algorithm, expected=claimed.value, computed=computed.value
        )


def _new_upload_id(now: datetime) -> str:
    """Sorts by the time it was begun, as lists of uploads do."""
    return f"{int(now.timestamp() * 1_000_000):016x}{new_uid()}{new_uid()}"
