"""Users: CreateUser, GetUser, ListUsers, DeleteUser, and their tags."""

from __future__ import annotations

from typing import Any

from moorage.api.iam.errors import delete_conflict, invalid, user_exists
from moorage.api.iam.part import (
    NO_REGION,
    Part,
    all_of,
    check_tag_count,
    find_user,
    named_user,
    new_id,
    page_of,
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
            "Tags": {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])},
        }
        arn = f"arn:aws:iam::{caller.account_id}:user{path}{name}"
        user = Document(NO_REGION, name, arn, now, now, body)

        def create(tx: Transaction) -> None:
            try:
                tx.users.insert(user)
            except AlreadyExists:
                raise user_exists(name) from None

        await self._store.run(create)
        return {"User": _in_full(user)}

    @operation("GetUser")
    async def get_user(self, caller: Caller, request: GetUserRequest) -> GetUserResponse:
        """A user in full; without a name, the caller."""
        name = named_user(caller, request)
        return {"User": _in_full(await self._store.run(lambda tx: find_user(tx, name)))}

    @operation("ListUsers")
    async def list_users(self, _: Caller, request: ListUsersRequest) -> ListUsersResponse:
        """Users by name, without their tags: IAM leaves them out of lists."""
        prefix = request.get("PathPrefix", "/")
        found = await self._store.run(lambda tx: all_of(tx.users, path_prefix=prefix))
        items = [(user.name.lower(), _summary(user)) for user in found]
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

        await self._store.run(delete)

    @operation("ListGroupsForUser")
    async def list_groups_for_user(self, _: Caller, request: ListGroupsForUserRequest) -> ListGroupsForUserResponse:
        """None, which is the truth: there are no groups here. Terraform asks before it deletes a user."""
        await self._store.run(lambda tx: find_user(tx, request["UserName"]))
        return {"Groups": [], "IsTruncated": False}

    @operation("TagUser")
    async def tag_user(self, _: Caller, request: TagUserRequest) -> None:
        """Add tags to a user; policies may go by them (`aws:PrincipalTag`)."""
        added = {tag["Key"]: tag["Value"] for tag in request["Tags"]}

        def tag(_: Transaction, user: Document) -> dict[str, Any]:
            tags = {**user.body["Tags"], **added}
            check_tag_count(tags)
            return {"Tags": tags}

        await self._change_user(request["UserName"], tag)

    @operation("UntagUser")
    async def untag_user(self, _: Caller, request: UntagUserRequest) -> None:
        """Take tags off a user."""

        def untag(_: Transaction, user: Document) -> dict[str, Any]:
            return {"Tags": {key: value for key, value in user.body["Tags"].items() if key not in request["TagKeys"]}}

        await self._change_user(request["UserName"], untag)

    @operation("ListUserTags")
    async def list_user_tags(self, _: Caller, request: ListUserTagsRequest) -> ListUserTagsResponse:
        """A user's tags, by key."""
        user = await self._store.run(lambda tx: find_user(tx, request["UserName"]))
        items = [(tag["Key"], tag) for tag in tag_list(dict(sorted(user.body["Tags"].items())))]
        page, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        return {"Tags": page, **paging}


_IN_THE_WAY = {
    "AccessKeys": "delete access keys",
    "AttachedPolicies": "detach all policies",
    "InlinePolicies": "delete policies",
}


def _summary(user: Document) -> User:
    return {
        "Path": user.body["Path"],
        "UserName": user.name,
        "UserId": user.body["UserId"],
        "Arn": user.arn,
        "CreateDate": user.created_at,
    }


def _in_full(user: Document) -> User:
    answer = _summary(user)
    if user.body["Tags"]:
        answer["Tags"] = tag_list(user.body["Tags"])
    return answer
