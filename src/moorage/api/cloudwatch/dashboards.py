"""Dashboards: kept and answered as they were put. They belong to the account, not to a region."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from moorage.api.cloudwatch.dashboard_body import NotAnObject, Problem, problems_of
from moorage.api.cloudwatch.errors import invalid_value
from moorage.api.cloudwatch.part import Part
from moorage.api.cloudwatch.tag_rules import read_tags
from moorage.api.service import Caller, operation
from moorage.api.tokens import PageTokens, WrongToken
from moorage.aws.errors import ServiceError
from moorage.aws.types.cloudwatch import (
    DashboardEntry,
    DashboardValidationMessage,
    DeleteDashboardsInput,
    GetDashboardInput,
    GetDashboardOutput,
    ListDashboardsInput,
    ListDashboardsOutput,
    PutDashboardInput,
    PutDashboardOutput,
)
from moorage.store.base import Document, ListQuery, Transaction

NO_REGION: Final = ""
DELETED_MAX: Final = 100
PAGE_MAX: Final = 100

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,255}", re.ASCII)


class Dashboards(Part):
    """The operations on dashboards."""

    @operation("PutDashboard")
    async def put_dashboard(self, _: Caller, request: PutDashboardInput) -> PutDashboardOutput:
        """Create a dashboard or give it another body; what is odd about the body is said."""
        name, body = request["DashboardName"], request["DashboardBody"]
        if not _NAME.fullmatch(name):
            raise _invalid_input(
                f"The value {name!r} for field DashboardName contains invalid characters. It can only contain "
                "alphanumerics, dash (-) and underscore (_), and 255 of them at most."
            )
        warnings = _checked(body)
        tags = read_tags(request.get("Tags", ()))
        now = self._clock.now()
        document = Document(
            NO_REGION, name, dashboard_arn(self._needs.account_id, name), now, now, {"DashboardBody": body}
        )

        def put(tx: Transaction) -> None:
            found = tx.dashboards.get(NO_REGION, name)
            if found is None:
                tx.dashboards.insert(document)
                tx.tags.put(document.arn, dict(tags))
            else:  # tags of a dashboard that is there are changed by TagResource alone
                tx.dashboards.replace(replace(document, created_at=found.created_at))

        await self._store.run(put)
        return {"DashboardValidationMessages": [_message(each) for each in warnings]}

    @operation("GetDashboard")
    async def get_dashboard(self, _: Caller, request: GetDashboardInput) -> GetDashboardOutput:
        """A dashboard's body as it was put."""
        name = request["DashboardName"]
        found = await self._store.run(lambda tx: tx.dashboards.get(NO_REGION, name))
        if found is None:
            raise _no_such_dashboards([name])
        return {"DashboardArn": found.arn, "DashboardName": name, "DashboardBody": found.body["DashboardBody"]}

    @operation("ListDashboards")
    async def list_dashboards(self, _: Caller, request: ListDashboardsInput) -> ListDashboardsOutput:
        """The dashboards whose names begin in a way, by name."""
        prefix = request.get("DashboardNamePrefix", "")
        bound = ["ListDashboards", prefix]
        after = _after(self._tokens, bound, request.get("NextToken"))
        found = await self._store.run(lambda tx: [each for each in _all(tx) if each.name.startswith(prefix)])
        rest = [each for each in sorted(found, key=lambda each: each.name) if each.name > after]
        output: ListDashboardsOutput = {"DashboardEntries": [_entry(each) for each in rest[:PAGE_MAX]]}
        if len(rest) > PAGE_MAX:
            output["NextToken"] = self._tokens.seal(bound, rest[PAGE_MAX - 1].name)
        return output

    @operation("DeleteDashboards")
    async def delete_dashboards(self, _: Caller, request: DeleteDashboardsInput) -> None:
        """Delete dashboards. That one of them does not exist is an error, and the others are deleted all the same."""
        names = list(dict.fromkeys(request["DashboardNames"]))
        if not 1 <= len(names) <= DELETED_MAX:
            raise invalid_value(f"The parameter DashboardNames must have from 1 to {DELETED_MAX} names.")

        def delete(tx: Transaction) -> list[str]:
            missing = [name for name in names if not tx.dashboards.delete(NO_REGION, name)]
            for name in names:
                tx.tags.clear(dashboard_arn(self._needs.account_id, name))
            return missing

        missing = await self._store.run(delete)
        if missing:
            raise _no_such_dashboards(missing)


def dashboard_arn(account_id: str, name: str) -> str:
    """What names a dashboard to policies and tags."""
    return f"arn:aws:cloudwatch::{account_id}:dashboard/{name}"


def _after(tokens: PageTokens, bound: list[str], token: str | None) -> str:
    """The name that a page goes on behind. Raises InvalidParameterValue."""
    try:
        return "" if token is None else str(tokens.open(bound, token))
    except WrongToken:
        raise invalid_value("The value for parameter NextToken is not one that this list gave.") from None


def _checked(body: str) -> list[Problem]:
    """The warnings about a body. Raises InvalidParameterInput."""
    try:
        problems = problems_of(body)
    except NotAnObject:
        raise _invalid_input("The field DashboardBody must be a valid JSON object") from None
    errors = [_message(each) for each in problems if each.is_error]
    if errors:
        described = msgspec.json.format(msgspec.json.encode(errors)).decode()
        raise _invalid_input(
            f"The dashboard body is invalid, there are {len(errors)} validation errors:\n{described}", errors
        )
    return problems


def _message(problem: Problem) -> DashboardValidationMessage:
    return {"DataPath": problem.path, "Message": problem.message}


def _invalid_input(message: str, errors: list[DashboardValidationMessage] | None = None) -> ServiceError:
    return ServiceError("InvalidParameterInput", message, members={"dashboardValidationMessages": errors or []})


def _no_such_dashboards(names: list[str]) -> ServiceError:
    listed = ", ".join(names)
    message = f"Dashboard {listed} does not exist" if len(names) == 1 else f"Dashboards {listed} do not exist"
    return ServiceError("ResourceNotFound", message, status=404)


def _all(tx: Transaction) -> Iterator[Document]:
    query = ListQuery(NO_REGION, limit=1000, sort_by="Name", ascending=True)
    while True:
        page = tx.dashboards.list(query)
        yield from page.rows
        if page.next_after is None:
            return
        query = replace(query, after=page.next_after)


def _entry(dashboard: Document) -> DashboardEntry:
    return {
        "DashboardName": dashboard.name,
        "DashboardArn": dashboard.arn,
        "LastModified": dashboard.modified_at,
        "Size": len(dashboard.body["DashboardBody"].encode()),
    }
