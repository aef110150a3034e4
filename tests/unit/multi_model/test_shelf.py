from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from moorage.runtime.multi_model.shelf import Shelf, Slot

NAMES = [f"m{number}" for number in range(8)]
PINNED = frozenset({"m0", "m1"})


def shelf_with(*sizes: int, bytes_max: int = 100, count_max: int = 100) -> Shelf[str]:
    shelf: Shelf[str] = Shelf(bytes_max=bytes_max, count_max=count_max)
    for number, size in enumerate(sizes):
        shelf.put(Slot(f"m{number}", "1", "", size))
    return shelf


def names(slots: list[Slot[str]] | None) -> list[str] | None:
    return None if slots is None else [slot.name for slot in slots]


def test_the_least_recently_used_makes_room() -> None:
    shelf = shelf_with(40, 30, 30)
    used = shelf.find("m0")
    assert used is not None
    shelf.take(used)
    shelf.give_back(used)
    assert ["m1"] == names(shelf.make_room(20))
    assert ["m2", "m0"] == names(shelf.make_room(90))


def use(shelf: Shelf[str], name: str, times: int = 1) -> None:
    slot = shelf.find(name)
    assert slot is not None
    for _ in range(times):
        shelf.take(slot)
        shelf.give_back(slot)


def test_what_is_used_often_outlasts_what_is_used_once_and_later() -> None:
    shelf = shelf_with(40, 30, 30)
    use(shelf, "m1", times=3)
    use(shelf, "m0")
    use(shelf, "m2")
    assert ["m0", "m2"] == names(shelf.make_room(60))


def test_what_was_used_often_once_gives_way_to_what_is_used_now() -> None:
    shelf = shelf_with(50)
    use(shelf, "m0", times=3)
    for number in range(2, 9):
        shelf.make_room(50)
        shelf.put(Slot(f"m{number}", "1", "", 50))
        use(shelf, f"m{number}")
    assert shelf.find("m0") is None


def test_a_newer_version_stands_where_the_older_one_stood() -> None:
    shelf = shelf_with(40, 30)
    use(shelf, "m0", times=3)
    use(shelf, "m1", times=2)
    shelf.put(Slot("m0", "2", "", 40))
    assert ["m1"] == names(shelf.make_room(60))


def test_what_fits_evicts_nothing() -> None:
    assert [] == shelf_with(40, 30).make_room(30)


def test_the_count_is_a_cap_as_well() -> None:
    assert ["m0"] == names(shelf_with(1, 1, count_max=2).make_room(1))


def test_what_cannot_fit_leaves_everything_where_it_is() -> None:
    shelf = shelf_with(40, 30)
    assert shelf.make_room(101) is None
    assert 2 == len(shelf)


def test_a_model_in_use_stays_and_one_that_was_dropped_is_closed_by_its_last_user() -> None:
    shelf = shelf_with(60)
    slot = shelf.find("m0")
    assert slot is not None
    shelf.take(slot)
    shelf.take(slot)
    assert shelf.make_room(60) is None
    assert [] == shelf.drop("m0")
    assert not shelf.give_back(slot)
    assert shelf.give_back(slot)


def test_a_newer_version_takes_the_place_of_the_older_one() -> None:
    shelf = shelf_with(60)
    old = shelf.find("m0")
    new = Slot("m0", "2", "", 70)
    assert [] == shelf.make_room(40, keep="m0")
    assert [old] == shelf.put(new)
    assert new is shelf.find("m0")
    assert 70 == shelf.bytes


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 60)), max_size=30))
def test_the_bytes_are_those_of_what_is_there(puts: list[tuple[str, int]]) -> None:
    shelf: Shelf[str] = Shelf(bytes_max=10_000, count_max=100)
    for name, size in puts:
        shelf.put(Slot(name, "1", "", size))
    assert sum(slot.bytes for slot in shelf) == shelf.bytes


class Life(RuleBasedStateMachine):
    """Models come, are used and go: no pinned one and none in use is evicted, and the caps hold."""

    bytes_max = 100
    count_max = 5

    def __init__(self) -> None:
        super().__init__()
        self.shelf: Shelf[str] = Shelf(bytes_max=self.bytes_max, count_max=self.count_max, pinned=PINNED)
        self.taken: list[Slot[str]] = []
        self.closed: list[Slot[str]] = []

    @rule(name=st.sampled_from(NAMES), size=st.integers(1, 70))
    def load(self, name: str, size: int) -> None:
        before = {slot.name: slot for slot in self.shelf}
        evicted = self.shelf.make_room(size, keep=name)
        if evicted is None:
            assert before == {slot.name: slot for slot in self.shelf}
            return
        for slot in evicted:
            assert slot.name not in PINNED
            assert slot not in self.taken
            assert slot.name != name
        self.closed += evicted
        self.closed += self.shelf.put(Slot(name, "1", "", size))

    @precondition(lambda self: len(self.shelf))
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(list(self.shelf)))
        self.shelf.take(slot)
        self.taken.append(slot)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(self.taken))
        self.taken.remove(slot)
        if self.shelf.give_back(slot):
            self.closed.append(slot)

    @rule(name=st.sampled_from(NAMES))
    def drop(self, name: str) -> None:
        self.closed += self.shelf.drop(name)

    @invariant()
    def caps_hold(self) -> None:
        assert len(self.shelf) <= self.count_max
        assert self.shelf.bytes <= self.bytes_max

    @invariant()
    def each_is_closed_once_and_never_while_it_is_used(self) -> None:
        assert len(self.closed) == len(set(map(id, self.closed)))
        assert not set(map(id, self.closed)) & set(map(id, self.taken))
        assert not set(map(id, self.closed)) & set(map(id, self.shelf))

    def teardown(self) -> None:
        for slot in list(self.taken):
            self.taken.remove(slot)
            if self.shelf.give_back(slot):
                self.closed.append(slot)
        gone = [slot for slot in self.closed if slot.is_retired]
        assert len(gone) == len(self.closed)


TestLife = Life.TestCase
