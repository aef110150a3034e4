"""A bucket against a dictionary: any order of writes, deletes, versioning changes and restarts."""

from __future__ import annotations

import asyncio
import shutil

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from moorage.objects.errors import Rejected
from moorage.objects.intake import Payload
from moorage.objects.listing import Selection
from moorage.objects.objects import Target
from moorage.objects.records import NULL_VERSION, Versioning
from moorage.objects.store import open_object_store
from moorage.system.clock import SystemClock
from moorage.testing.memory_folder import new_memory_folder

KEYS = st.sampled_from(["a", "a/b", "a/b/c", "a0", "é", "z"])


class Machine(RuleBasedStateMachine):
    """The model: by key, the versions oldest first, each an id and content (None for a delete marker)."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = new_memory_folder()
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.model: dict[str, list[tuple[str, bytes | None]]] = {}
        self.versioning = Versioning.OFF

    @initialize()
    def start(self) -> None:
        self._open()
        self.runner.run(self.store.buckets.create("attic", "us-east-1"))

    def _open(self) -> None:
        self.store = self.runner.run(
            open_object_store(self.folder / "objects", key_path=self.folder / "key", clock=SystemClock())
        )

    @rule(key=KEYS, data=st.binary(max_size=20), is_sealed=st.booleans())
    def put(self, key: str, data: bytes, is_sealed: bool) -> None:
        version = self.runner.run(self.store.objects.put("attic", key, payload=Payload(data), is_sealed=is_sealed))
        self._write(key, version.version_id, data)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        deletion = self.runner.run(self.store.objects.delete("attic", Target(key)))
        if self.versioning is Versioning.OFF:
            self.model.pop(key, None)
        else:
            assert deletion.version_id is not None
            self._write(key, deletion.version_id, None)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def delete_version(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model)))
        version_id, _ = data.draw(st.sampled_from(self.model[key]))
        self.runner.run(self.store.objects.delete("attic", Target(key, version_id)))
        self.model[key] = [version for version in self.model[key] if version[0] != version_id]
        if not self.model[key]:
            del self.model[key]

    @rule(versioning=st.sampled_from([Versioning.ENABLED, Versioning.SUSPENDED]))
    def set_versioning(self, versioning: Versioning) -> None:
        self.runner.run(self.store.buckets.set_versioning("attic", versioning))
        self.versioning = versioning

    @rule()
    def restart(self) -> None:
        self.runner.run(self.store.close())
        self._open()

    @rule()
    def contents_are_the_models(self) -> None:
        for key, versions in self.model.items():
            assert versions[-1][1] == self.runner.run(self._read(key, None))
            for version_id, data in versions:
                assert data == self.runner.run(self._read(key, version_id))

    @invariant()
    def lists_are_the_models(self) -> None:
        if not hasattr(self, "store"):
            return
        current = [key for key in sorted(self.model) if self.model[key][-1][1] is not None]
        listed = self.runner.run(self.store.objects.list(Selection("attic")))
        assert current == [version.key for version in listed.rows]
        expected = [(key, version[0]) for key in sorted(self.model) for version in reversed(self.model[key])]
        versions = self.runner.run(self.store.objects.list_versions(Selection("attic")))
        assert expected == [(version.key, version.version_id) for version in versions.rows]

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.contents_are_the_models()
            self.runner.run(self.store.close())
            blobs = {path.name for path in self.folder.glob("objects/blobs/??/*")}
            contents = sum(data is not None for versions in self.model.values() for _, data in versions)
            assert contents == len(blobs)
        self.runner.close()
        shutil.rmtree(self.folder)

    def _write(self, key: str, version_id: str, data: bytes | None) -> None:
        assert (self.versioning is Versioning.ENABLED) == (version_id != NULL_VERSION)
        kept = [version for version in self.model.get(key, []) if version[0] != version_id]
        self.model[key] = [*kept, (version_id, data)]

    async def _read(self, key: str, version_id: str | None) -> bytes | None:
        try:
            opened = await self.store.objects.open("attic", key, version_id)
        except Rejected:
            return None
        return b"".join([piece async for piece in opened.stream(0, opened.version.size)])


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
