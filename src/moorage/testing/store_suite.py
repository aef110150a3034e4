"""What every store must do. Subclass `StoreSuite` and give it a `store` fixture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from moorage.core.model import (
    Container,
    DataChannel,
    DataForm,
    Endpoint,
    EndpointKey,
    EndpointStatus,
    Fleet,
    InstanceId,
    LaunchFailures,
    ModelData,
    Variant,
)
from moorage.core.usage import Usage
from moorage.store.base import (
    AlreadyExists,
    Document,
    JournalEntry,
    ListQuery,
    Page,
    StaleVersion,
    Store,
    Transaction,
)

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def make_document(name: str, *, region: str = "us-east-1", created_at: datetime = START) -> Document:
    """A document named `name`."""
    arn = f"arn:aws:sagemaker:{region}:123456789012:model/{name.lower()}"
    body = {"Name": name, "Nested": [{"Weight": 0.1, "Flag": True}], "Text": "ünï☂"}
    return Document(region, name, arn, created_at, created_at, body)


def make_endpoint(
    name: str,
    *,
    region: str = "us-east-1",
    created_at: datetime = START,
    status: EndpointStatus = EndpointStatus.CREATING,
    uid: str = "0123456789abcdef",
) -> Endpoint:
    """An endpoint named `name` with every member filled."""
    container = Container(
        image="image:1",
        model_data=ModelData("s3://b/k/", DataForm.PREFIX),
        environment={"A": "1"},
        channels=(DataChannel("more", ModelData("s3://b/more")),),
    )
    variant = Variant("AllTraffic", "iris", (container,), "ml.m5.large", 2, 0.5)
    fleet = Fleet(1, "config", (variant,), created_at)
    return Endpoint(
        key=EndpointKey(region, name),
        uid=uid,
        arn=f"arn:aws:sagemaker:{region}:123456789012:endpoint/{name.lower()}",
        status=status,
        created_at=created_at,
        modified_at=created_at,
        serving=fleet,
        target=replace(fleet, generation=2),
        failure_reason="because",
        draining={InstanceId("i-1"): created_at},
        failures={InstanceId("i-2"): LaunchFailures(3, created_at, "crashed")},
    )


def make_usage(instance: str, *, minute: int) -> Usage:
    """An instance of endpoint iris that is there from that minute on."""
    at = START + timedelta(minutes=minute)
    return Usage("us-east-1", "iris", "AllTraffic", "ml.m5.large", instance, at, at)


class StoreSuite:
    """The contract, one test a sentence."""

    async def test_a_document_comes_back_as_it_was_put(self, store: Store) -> None:
        document = make_document("Iris")
        await store.run(lambda tx: tx.models.insert(document))
        assert document == await store.run(lambda tx: tx.models.get("us-east-1", "Iris"))

    async def test_names_are_found_whatever_their_case(self, store: Store) -> None:
        await store.run(lambda tx: tx.models.insert(make_document("Iris")))
        found = await store.run(lambda tx: tx.models.get("us-east-1", "iRIS"))
        assert found is not None
        assert "Iris" == found.name
        with pytest.raises(AlreadyExists):
            await store.run(lambda tx: tx.models.insert(make_document("iris")))

    async def test_an_alarm_is_found_by_its_exact_name(self, store: Store) -> None:
        def insert(tx: Transaction) -> None:
            for name in ("Iris", "iris"):
                tx.alarms.insert(make_document(name))

        await store.run(insert)
        assert await store.run(lambda tx: tx.alarms.delete("us-east-1", "iris"))
        assert make_document("Iris") == await store.run(lambda tx: tx.alarms.get("us-east-1", "Iris"))
        assert None is await store.run(lambda tx: tx.alarms.get("us-east-1", "IRIS"))

    async def test_the_journal_lists_what_happened_to_a_subject_page_by_page(self, store: Store) -> None:
        def happened(minute: int, subject: str) -> JournalEntry:
            return JournalEntry("alarm", "us-east-1", subject, START + timedelta(minutes=minute), {"Minute": minute})

        def write(tx: Transaction) -> list[JournalEntry]:
            return [tx.journal.add(happened(minute, subject)) for minute in (0, 1, 1) for subject in ("a", "b")]

        written = [entry for entry in await store.run(write) if entry.subject == "a"]
        newest = await store.run(lambda tx: tx.journal.list("alarm", "us-east-1", subject="a", limit=2))
        assert [written[2], written[1]] == newest
        rest = await store.run(lambda tx: tx.journal.list("alarm", "us-east-1", subject="a", limit=9, after=newest[-1]))
        assert [written[0]] == rest
        oldest = await store.run(
            lambda tx: tx.journal.list("alarm", "us-east-1", limit=3, newest_first=False, since=written[1].at)
        )
        assert ["a", "b", "a"] == [entry.subject for entry in oldest]

    async def test_the_journal_counts_what_it_has_forgotten_too(self, store: Store) -> None:
        def write(tx: Transaction) -> None:
            for subject in ("a", "b", "a"):
                tx.journal.add(JournalEntry("alarm", "us-east-1", subject, START, {}))
            tx.journal.add(JournalEntry("scaling", "us-east-1", "a", START, {}))

        await store.run(write)
        await store.run(lambda tx: tx.journal.expire("alarm", before=START + timedelta(days=1)))
        assert {("us-east-1", "a"): 2, ("us-east-1", "b"): 1} == await store.run(lambda tx: tx.journal.counts("alarm"))
        assert {} == await store.run(lambda tx: tx.journal.counts("nothing"))

    async def test_the_life_of_an_instance_goes_on_until_it_is_ended(self, store: Store) -> None:
        first, second = (make_usage(f"i-{number}", minute=number) for number in (1, 2))
        await store.run(lambda tx: tx.usages.begin([first, second]))
        now = START + timedelta(minutes=10)
        await store.run(lambda tx: tx.usages.touch(now))
        await store.run(lambda tx: tx.usages.end("i-1"))
        await store.run(lambda tx: tx.usages.end("i-2", now + timedelta(minutes=1)))
        await store.run(lambda tx: tx.usages.begin([make_usage("i-1", minute=20)]))
        assert [make_usage("i-1", minute=20)] == await store.run(lambda tx: tx.usages.open())
        assert [replace(first, until=now, is_open=False)] == await store.run(
            lambda tx: tx.usages.list("us-east-1", since=START, until=second.began_at)
        )
        assert [replace(second, until=now + timedelta(minutes=1), is_open=False)] == await store.run(
            lambda tx: tx.usages.list("us-east-1", since=now, until=now + timedelta(hours=1), endpoint="iris")[:1]
        )
        await store.run(lambda tx: tx.usages.expire(now + timedelta(minutes=2)))
        found = await store.run(lambda tx: tx.usages.list("us-east-1", since=START - timedelta(days=1), until=now))
        assert [] == found

    async def test_a_journal_entry_can_be_amended_until_it_expires(self, store: Store) -> None:
        entry = JournalEntry("scaling", "us-east-1", "a", START, {"Status": "InProgress"})
        id_ = (await store.run(lambda tx: tx.journal.add(entry))).id
        await store.run(lambda tx: tx.journal.amend(id_, {"Status": "Successful"}))
        found = await store.run(lambda tx: tx.journal.list("scaling", "us-east-1", limit=9))
        assert [{"Status": "Successful"}] == [each.body for each in found]
        await store.run(lambda tx: tx.journal.expire("scaling", before=START + timedelta(seconds=1)))
        with pytest.raises(KeyError):
            await store.run(lambda tx: tx.journal.amend(id_, {}))

    async def test_regions_and_kinds_do_not_see_each_other(self, store: Store) -> None:
        await store.run(lambda tx: tx.models.insert(make_document("iris")))
        await store.run(lambda tx: tx.models.insert(make_document("iris", region="eu-west-1")))
        assert None is await store.run(lambda tx: tx.endpoint_configs.get("us-east-1", "iris"))
        assert None is await store.run(lambda tx: tx.models.get("ap-south-1", "iris"))
        assert 1 == len((await store.run(lambda tx: tx.models.list(ListQuery("eu-west-1", 10)))).rows)
        assert ["eu-west-1", "us-east-1"] == list(await store.run(lambda tx: tx.models.regions()))
        assert (1, 0) == await store.run(lambda tx: (tx.models.count("us-east-1"), tx.models.count("ap-south-1")))

    async def test_replace_needs_something_to_replace(self, store: Store) -> None:
        await store.run(lambda tx: tx.roles.insert(make_document("role", region="")))
        changed = replace(make_document("role", region=""), body={"changed": 1}, modified_at=START + timedelta(1))
        await store.run(lambda tx: tx.roles.replace(changed))
        assert changed == await store.run(lambda tx: tx.roles.get("", "role"))
        with pytest.raises(KeyError):
            await store.run(lambda tx: tx.roles.replace(make_document("other", region="")))

    async def test_delete_says_whether_there_was_one(self, store: Store) -> None:
        await store.run(lambda tx: tx.policies.insert(make_document("Policy")))
        assert await store.run(lambda tx: tx.policies.delete("us-east-1", "policy"))
        assert not await store.run(lambda tx: tx.policies.delete("us-east-1", "policy"))
        assert None is await store.run(lambda tx: tx.policies.get("us-east-1", "Policy"))

    async def test_a_failing_transaction_leaves_nothing(self, store: Store) -> None:
        def work(tx: Transaction) -> None:
            tx.models.insert(make_document("iris"))
            tx.tags.put("arn", {"k": "v"})
            tx.endpoints.insert(make_endpoint("e"))
            raise LookupError("on purpose")

        with pytest.raises(LookupError, match="on purpose"):
            await store.run(work)
        assert None is await store.run(lambda tx: tx.models.get("us-east-1", "iris"))
        assert {} == await store.run(lambda tx: tx.tags.get("arn"))
        assert [] == await store.run(lambda tx: list(tx.endpoints.keys()))

    async def test_a_transaction_survives_a_name_already_taken(self, store: Store) -> None:
        def work(tx: Transaction) -> None:
            tx.models.insert(make_document("one"))
            with pytest.raises(AlreadyExists):
                tx.models.insert(make_document("One"))
            tx.models.insert(make_document("two"))

        await store.run(work)
        assert ["one", "two"] == await names(store, sort_by="Name", ascending=True)

    async def test_what_was_stored_does_not_change_with_the_caller(self, store: Store) -> None:
        document = make_document("iris")
        await store.run(lambda tx: tx.models.insert(document))
        document.body["Nested"][0]["Weight"] = 9
        found = await store.run(lambda tx: tx.models.get("us-east-1", "iris"))
        assert found is not None
        assert 0.1 == found.body["Nested"][0]["Weight"]
        found.body.clear()
        assert make_document("iris") == await store.run(lambda tx: tx.models.get("us-east-1", "iris"))

    async def test_an_endpoint_comes_back_as_it_was_put(self, store: Store) -> None:
        endpoint = make_endpoint("Iris")
        await store.run(lambda tx: tx.endpoints.insert(endpoint))
        assert endpoint == await store.run(lambda tx: tx.endpoints.get(EndpointKey("us-east-1", "iris")))
        with pytest.raises(AlreadyExists):
            await store.run(lambda tx: tx.endpoints.insert(make_endpoint("IRIS")))

    async def test_swap_saves_only_what_was_loaded_last(self, store: Store) -> None:
        first = make_endpoint("iris")
        await store.run(lambda tx: tx.endpoints.insert(first))
        wanted = replace(first, status=EndpointStatus.IN_SERVICE)
        second = await store.run(lambda tx: tx.endpoints.swap(wanted))
        assert first.version != second.version
        assert replace(wanted, version=second.version) == second
        with pytest.raises(StaleVersion):
            await store.run(lambda tx: tx.endpoints.swap(wanted))
        assert second == await store.run(lambda tx: tx.endpoints.get(first.key))

    async def test_swap_and_delete_spare_a_namesake(self, store: Store) -> None:
        old, new = make_endpoint("iris", uid="old"), make_endpoint("iris", uid="new")
        with pytest.raises(StaleVersion):
            await store.run(lambda tx: tx.endpoints.swap(old))
        await store.run(lambda tx: tx.endpoints.insert(new))
        with pytest.raises(StaleVersion):
            await store.run(lambda tx: tx.endpoints.swap(old))
        assert not await store.run(lambda tx: tx.endpoints.delete(old.key, "old"))
        assert await store.run(lambda tx: tx.endpoints.delete(EndpointKey("us-east-1", "IRIS"), "new"))
        assert [] == await store.run(lambda tx: list(tx.endpoints.keys()))

    async def test_keys_are_those_of_every_region(self, store: Store) -> None:
        await store.run(lambda tx: tx.endpoints.insert(make_endpoint("B")))
        await store.run(lambda tx: tx.endpoints.insert(make_endpoint("a", region="eu-west-1")))
        expected = [EndpointKey("eu-west-1", "a"), EndpointKey("us-east-1", "B")]
        assert expected == await store.run(lambda tx: list(tx.endpoints.keys()))

    async def test_tags_keep_their_order_and_take_new_values(self, store: Store) -> None:
        await store.run(lambda tx: tx.tags.put("arn", {"z": "1", "a": "2"}))
        await store.run(lambda tx: tx.tags.put("arn", {"m": "3", "z": "4"}))
        await store.run(lambda tx: tx.tags.put("other", {"x": ""}))
        assert [("z", "4"), ("a", "2"), ("m", "3")] == list((await store.run(lambda tx: tx.tags.get("arn"))).items())
        await store.run(lambda tx: tx.tags.remove("arn", ["a", "never"]))
        assert {"z": "4", "m": "3"} == await store.run(lambda tx: tx.tags.get("arn"))
        await store.run(lambda tx: tx.tags.clear("arn"))
        assert {} == await store.run(lambda tx: tx.tags.get("arn"))
        assert {"x": ""} == await store.run(lambda tx: tx.tags.get("other"))

    async def test_pages_go_on_behind_the_last_row_whatever_was_deleted(self, store: Store) -> None:
        await put_models(store, "abcdefg")
        first = await models(store, limit=3, sort_by="Name", ascending=True)
        assert ["a", "b", "c"] == [row.name for row in first.rows]
        await store.run(lambda tx: [tx.models.delete("us-east-1", gone) for gone in "cd"])
        second = await models(store, limit=3, sort_by="Name", ascending=True, after=first.next_after)
        assert ["e", "f", "g"] == [row.name for row in second.rows]
        assert second.next_after is None

    @pytest.mark.parametrize("ascending", [True, False])
    @pytest.mark.parametrize("sort_by", ["Name", "CreationTime", "Status"])
    async def test_pages_of_any_order_make_up_the_whole(self, store: Store, sort_by: str, ascending: bool) -> None:
        await put_endpoints(
            store,
            [
                make_endpoint(
                    f"{'aBc'[number % 3]}-{number}",
                    created_at=START + timedelta(microseconds=number // 3),
                    status=[EndpointStatus.CREATING, EndpointStatus.IN_SERVICE][number % 2],
                )
                for number in range(11)
            ],
        )
        query = ListQuery("us-east-1", 100, sort_by=sort_by, ascending=ascending)  # type: ignore[arg-type]
        whole = (await endpoints(store, query)).rows
        assert sorted(whole, key=lambda row: order_of(row, sort_by), reverse=not ascending) == whole
        pieces: list[Endpoint] = []
        after = None
        for _ in range(4):
            page = await endpoints(store, replace(query, limit=3, after=after))
            pieces.extend(page.rows)
            after = page.next_after
        assert after is None
        assert whole == pieces

    async def test_filters(self, store: Store) -> None:
        second = START + timedelta(seconds=1)
        await put_endpoints(
            store,
            [
                make_endpoint("Iris-a", status=EndpointStatus.IN_SERVICE),
                make_endpoint("iris_B", created_at=second, status=EndpointStatus.FAILED),
                make_endpoint("other%", created_at=second + timedelta(seconds=1), status=EndpointStatus.FAILED),
            ],
        )
        cases: list[tuple[dict[str, object], list[str]]] = [
            ({}, ["Iris-a", "iris_B", "other%"]),
            ({"name_contains": "IRIS"}, ["Iris-a", "iris_B"]),
            ({"name_contains": "_"}, ["iris_B"]),
            ({"name_contains": "%"}, ["other%"]),
            ({"created_before": second}, ["Iris-a"]),
            ({"created_after": second}, ["iris_B", "other%"]),
            ({"modified_before": second}, ["Iris-a"]),
            ({"modified_after": second, "created_before": second + timedelta(seconds=1)}, ["iris_B"]),
            ({"status": "Failed"}, ["iris_B", "other%"]),
            ({"status": "Failed", "name_contains": "o"}, ["other%"]),
            ({"status": "Deleting"}, []),
        ]
        for filters, expected in cases:
            query = replace(ListQuery("us-east-1", 10, ascending=True), **filters)  # type: ignore[arg-type]
            page = await endpoints(store, query)
            assert expected == [row.key.name for row in page.rows], filters
            assert page.next_after is None

    async def test_a_full_page_at_the_end_has_no_next(self, store: Store) -> None:
        await put_models(store, "ab")
        assert (await models(store, limit=2)).next_after is None
        assert (await models(store, limit=1)).next_after is not None


def order_of(endpoint: Endpoint, sort_by: str) -> tuple[object, str]:
    """What a list sorted by `sort_by` is in order of."""
    name = endpoint.key.name.lower()
    return {"Name": name, "CreationTime": endpoint.created_at, "Status": str(endpoint.status)}[sort_by], name


async def put_models(store: Store, names: Iterable[str]) -> None:
    """Insert models, all alike but for their names."""

    def work(tx: Transaction) -> None:
        for name in names:
            tx.models.insert(make_document(name))

    await store.run(work)


async def put_endpoints(store: Store, rows: Iterable[Endpoint]) -> None:
    """Insert endpoints."""

    def work(tx: Transaction) -> None:
        for endpoint in rows:
            tx.endpoints.insert(endpoint)

    await store.run(work)


async def endpoints(store: Store, query: ListQuery) -> Page[Endpoint]:
    """A page of endpoints."""
    return await store.run(lambda tx: tx.endpoints.list(query))


async def models(store: Store, **query: object) -> Page[Document]:
    """A page of models."""
    asked = ListQuery("us-east-1", **query)  # type: ignore[arg-type]
    return await store.run(lambda tx: tx.models.list(asked))


async def names(store: Store, **query: object) -> Sequence[str]:
    """The names of a hundred models at most."""
    return [row.name for row in (await models(store, limit=100, **query)).rows]
