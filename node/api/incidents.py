"""The routes of incidents: stages of a report, its clocks, what is known at the hub."""

from fastapi import APIRouter
from starlette.responses import Response

from node.actions.caller import Caller
from node.actions.read import ReportShown, read_report, read_stage_content
from node.actions.submit import SubmittedReport, submit_report
from node.api.answers import answer, answer_done, told
from node.api.bodies import Of, ReportId, StageBody
from node.node import Node


def add_incidents(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes of incidents."""

    @api.post(
        "/incidents",
        tags=["incidents"],
        status_code=201,
        responses=told(SubmittedReport, 201, repeats=True),
    )
    def report_a_stage(body: StageBody, caller: Caller = who) -> Response:
        """Report a stage of an incident; what is due when comes back."""
        return answer_done(submit_report(node, caller, body.model_dump(exclude_unset=True)))

    @api.get("/incidents/{report_id}", tags=["incidents"], responses=told(ReportShown))
    def read_an_incident(report_id: ReportId, org: Of = None, caller: Caller = who) -> Response:
        """Give a report's stages and due times: one's own, or any of this node for its staff."""
        return answer(read_report(node, caller, report_id, org))

    @api.get("/incidents/{report_id}/stages/{version}", tags=["incidents"])
    def read_a_stage(
        report_id: ReportId, version: int, org: Of = None, caller: Caller = who
    ) -> Response:
        """Give what was sent as the report's stage number `version`; it never changes."""
        content = read_stage_content(node, caller, report_id, version, org)
        return Response(content, media_type="application/json")
