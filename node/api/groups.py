"""The routes of sharing groups; and an event as MISP has it, which tells what is for them."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from node.actions.caller import Caller
from node.actions.groups import GroupShown, show_group, show_groups
from node.actions.groups_change import (
    GroupChanged,
    GroupForeseen,
    change_group,
    create_group,
    end_group,
    foresee_group,
)
from node.actions.groups_told import read_misp_event
from node.api.answers import Described, answer, answer_done, told
from node.api.bodies import EventId, Origin
from node.node import Node

_UUID = "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"
_GROUP = "2b7c4c0e-9d55-4a0e-8f0d-7a4f7f2f0a01"
_ORG = "7a1f3c52-6d0e-4b7c-9a35-2f9f0c6e1f02"
_ONE: Final = "/sharing-groups/{group}"
_MISP: Final[Described] = {
    200: {
        "description": "The event as MISP has it, as far as the caller may see it.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"Event": {"uuid": _GROUP, "info": "Phishing", "distribution": "1"}},
            }
        },
    }
}

GroupId = Annotated[str, Path(pattern=_UUID, description="Its uuid.", examples=[_GROUP])]


class MemberBody(BaseModel):
    """An organisation in a group."""

    model_config = ConfigDict(extra="forbid")

    org: str = Field(pattern=_UUID, examples=[_ORG])
    name: str = Field(default="", description="Else as it is called here.", examples=["node BE"])
    extend: bool = Field(default=False, description="As MISP has it; here only operators add.")
    via: str | None = Field(
        default=None, pattern=_UUID, description="The member of the federation it is reached by."
    )


class GroupBody(BaseModel):
    """What of a group is to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, examples=["Imaging incident"])
    releasability: str | None = Field(default=None, examples=["Hospitals with this supplier"])
    members: list[MemberBody] | None = Field(default=None, description="All of them.")
    roaming: bool | None = Field(default=None, description="Whichever server a member is at.")
    servers: list[str] | None = Field(default=None, description="Base URLs; unless it is roaming.")
    shows_members: bool | None = Field(default=None, description="Members see who else is in it.")


class NewGroupBody(GroupBody):
    """A sharing group."""

    name: str = Field(examples=["Imaging incident"])
    group: str | None = Field(default=None, pattern=_UUID, description="Else a new uuid.")


class EndBody(BaseModel):
    """What to foresee: a change, or the end of the group."""

    model_config = ConfigDict(extra="forbid")

    change: GroupBody | None = None
    ends: bool = False


def add_groups(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes of sharing groups."""

    @api.get("/sharing-groups", tags=["groups"], responses=told(list[GroupShown]))
    def list_the_sharing_groups(caller: Caller = who) -> Response:
        """Give the groups the caller may know of: a hospital those it is in, without the others."""
        return answer(show_groups(node, caller))

    @api.get(_ONE, tags=["groups"], responses=told(GroupShown))
    def read_a_sharing_group(group: GroupId, caller: Caller = who) -> Response:
        """Give one group, and how each member is reached."""
        return answer(show_group(node, caller, group))

    @api.post(
        "/sharing-groups", tags=["groups"], status_code=201, responses=told(GroupChanged, 201)
    )
    def make_a_sharing_group(body: NewGroupBody, caller: Caller = who) -> Response:
        """Make a group; an operator's act."""
        return answer_done(create_group(node, caller, _said(body)))

    @api.post(_ONE + "/foresee", tags=["groups"], responses=told(GroupForeseen))
    def foresee_a_sharing_group(group: GroupId, body: EndBody, caller: Caller = who) -> Response:
        """Say what a change would give to whom, and take from whom, before it is made."""
        change = {} if body.change is None else _said(body.change)
        return answer(foresee_group(node, caller, group, change, ends=body.ends))

    @api.put(_ONE, tags=["groups"], responses=told(GroupChanged))
    def change_a_sharing_group(group: GroupId, body: GroupBody, caller: Caller = who) -> Response:
        """Change a group; whoever leaves it loses what was for it, whoever joins gets it."""
        return answer_done(change_group(node, caller, group, _said(body)), 200)

    @api.post(_ONE + "/end", tags=["groups"], responses=told(GroupChanged))
    def end_a_sharing_group(
        group: GroupId, body: dict[str, Any] | None = None, caller: Caller = who
    ) -> Response:
        """End a group for good: what was for it goes to nobody any more. No body is needed."""
        del body
        return answer_done(end_group(node, caller, group), 200)

    @api.get("/events/{origin}/{event}/misp", tags=["events"], responses=_MISP)
    def read_an_event_as_misp(origin: Origin, event: EventId, caller: Caller = who) -> Response:
        """Give an event as MISP has it: to its own people with the distribution they gave it."""
        return answer(read_misp_event(node, caller, origin, event))


def _said(body: GroupBody) -> dict[str, object]:
    return body.model_dump(exclude_unset=True, exclude_none=True)
