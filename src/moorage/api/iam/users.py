"""Users: CreateUser, GetUser, ListUsers, DeleteUser, and their tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moorage.api.iam.errors import delete_conflict, invalid, user_exists
from moorage.api.iam.part import (
    NO_REGION,
    Part,
    all_of,
    find_user,
    named_user,
    new_id,
    page_of,
    put_tags,
    tag_list,
)
from moorage.api.service import Caller, operation
from moorage.aws.types.iam import (
    CreateUserRequest,
    CreateUserResponse,
    DeleteUserRequest,
    GetUserRequest,
    GetUserResponse,
    ListGroupsForUserRequest,
    ListGroupsForUserResponse,
    ListUsersRequest,
    ListUsersResponse,
    ListUserTagsRequest,
    ListUserTagsResponse,
    TagUserRequest,
    UntagUserRequest,
    User,
)
from moorage.store.base import AlreadyExists, Document, Transaction


class Users(Part):
    """The operations on users themselves."""

    @operation("CreateUser")
    async def create_user(self, caller: Caller, request: CreateUserRequest) -> CreateUserResponse:
        """Keep a user, who has no key and may do nothing yet."""
        if "PermissionsBoundary" in request:
            raise invalid("Moorage does not support PermissionsBoundary of users yet.")
        now = self._clock.now()
        name, path = request["UserName"], request.get("Path", "/")
        body: dict[str, Any] = {
            "Path": path,
            "UserId": new_id("AIDA"),
            "AttachedPolicies": [],
            "InlinePolicies": {},
            "AccessKeys": {},
        }
        arn = f"arn:aws:iam::{caller.account_id}:user{path}{name}"
        user = Document(NO_REGION, name, arn, now, now, body)
        tags = request.get("Tags", [])

        def create(tx: Transaction) -> None:
            try:
                tx.users.insert(user)
            except AlreadyExists:
                raise user_exists(name) from None
            put_tags(tx, arn, tags)

        await self._store.run(create)
        return {"User": _described(user, {tag["Key"]: tag["Value"] for tag in tags})}

    @operation("GetUser")
    async def get_user(self, caller: Caller, request: GetUserRequest) -> GetUserResponse:
        """A user in full; without a name, the caller."""
        name = named_user(caller, request)

        def get(tx: Transaction) -> User:
            user = find_user(tx, name)
            return _described(user, tx.tags.get(user.arn))

        return {"User": await self._store.run(get)}

    @operation("ListUsers")
    async def list_users(self, _: Caller, request: ListUsersRequest) -> ListUsersResponse:
        """Users by name, without their tags: IAM leaves them out of lists."""
        prefix = request.get("PathPrefix", "/")
        found = await self._store.run(lambda tx: all_of(tx.users, path_prefix=prefix))
        items = [(user.name.lower(), _described(user, {})) for user in found]
        users, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        return {"Users": users, **paging}

    @operation("DeleteUser")
    async def delete_user(self, _: Caller, request: DeleteUserRequest) -> None:
        """Remove a user that has neither keys nor policies left."""

        def delete(tx: Transaction) -> None:
            user = find_user(tx, request["UserName"])
            for member, what in _IN_THE_WAY.items():
                if user.body[member]:
                    raise delete_conflict(f"Cannot delete entity, must {what} first.")
            tx.users.delete(NO_REGION, user.name)
            tx.tags.clear(user.arn)

        await self._store.run(delete)

    @operation("ListGroupsForUser")
    async def list_groups_for_user(self, _: Caller, request: ListGroupsForUserRequest) -> ListGroupsForUserResponse:
        """None, which is the truth: there are no groups here. Terraform asks before it deletes a user."""
        await self._store.run(lambda tx: find_user(tx, request["UserName"]))
        return {"Groups": [], "IsTruncated": False}

    @operation("TagUser")
    async def tag_user(self, _: Caller, request: TagUserRequest) -> None:
        """Add tags to a user; policies may go by them (`aws:PrincipalTag`)."""
        await self._change_tags(request, lambda tx, arn: put_tags(tx, arn, request["Tags"]))

    @operation("UntagUser")
    async def untag_user(self, _: Caller, request: UntagUserRequest) -> None:
        """Take tags off a user."""
        await self._change_tags(request, lambda tx, arn: tx.tags.remove(arn, request["TagKeys"]))

    @operation("ListUserTags")
    async def list_user_tags(self, _: Caller, request: ListUserTagsRequest) -> ListUserTagsResponse:
        """A user's tags, by key."""
        tags = await self._store.run(lambda tx: tx.tags.get(find_user(tx, request["UserName"]).arn))
        items = [(tag["Key"], tag) for tag in tag_list(dict(sorted(tags.items())))]
        page, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        return {"Tags": page, **paging}

    async def _change_tags(self, request: Mapping[str, Any], change: Callable[[Transaction, str], None]) -> None:
        await self._store.run(lambda tx: change(tx, find_user(tx, request["UserName"]).arn))
        await self._enforce()


_IN_THE_WAY = {
    "AccessKeys": "delete access keys",
    "AttachedPolicies": "detach all policies",
    "InlinePolicies": "delete policies",
}


def _described(user: Document, tags: dict[str, str]) -> User:
    answer: User = {
        "Path": user.body["Path"],
        "UserName": user.name,
        "UserId": user.body["UserId"],
        "Arn": user.arn,
        "CreateDate": user.created_at,
    }
    if tags:
        answer["Tags"] = tag_list(tags)
    return answer
