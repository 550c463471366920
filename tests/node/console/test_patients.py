"""Patient data on the report form: marked for who typed it, released there, or taken out."""

import re
from typing import Any

from node.actions.patients import list_releases
from node.actions.people import caller_named
from node.actions.read import read_report
from tests.node.api.hall import Hall, Visitor

REPORT_ID = "3d0f8f1e-1f5e-4c86-9b0d-0c55e9f0a777"
TEXT = "Screen of the patient Jeanne <Sorensen>, born 3 April 1961, was left open."
TAG = "PACS: the DICOM tag (0010,0010) was shown"
WHY = "the number of a DICOM tag names nobody"


def send(visitor: Visitor, summary: str, **more: Any) -> Any:
    form = {
        "report_id": REPORT_ID,
        "is_new": "yes",
        "stage": "early_warning",
        "zone": "UTC",
        "aware_at": "2026-01-27T04:52",
        "summary_internal": summary,
        "suspected_malicious": "yes",
        "cross_border": "no",
        "contact_email": "soc@hospital.example",
    }
    return visitor.send("/console/report", **form | more)


def alarms(page: str) -> list[str]:
    return re.findall(r'name="no_patient" value="([0-9a-f]{32})"', page)


def test_each_finding_is_marked_in_what_was_typed(hall: Hall) -> None:
    answer = send(hall.browser("claire"), TEXT)
    assert answer.status_code == 422
    assert len(alarms(answer.text)) == 2
    assert "<mark>Jeanne</mark> &lt;Sorensen&gt;" in answer.text or (
        "<mark>Jeanne &lt;Sorensen</mark>" in answer.text
    )
    assert "<mark>3 April 1961</mark>" in answer.text
    assert "a name follows a word for patient" in answer.text
    assert 'href="#summary_internal"' in answer.text
    assert TEXT.replace("<", "&lt;").replace(">", "&gt;") in answer.text  # still in its field


def test_what_is_ticked_with_a_reason_passes_and_is_signed(hall: Hall) -> None:
    claire = hall.browser("claire")
    (found,) = alarms(send(claire, TAG).text)
    done = send(claire, TAG, no_patient=found, no_patient_why=WHY)
    assert done.status_code == 303
    (row,) = list_releases(hall.node, caller_named(hall.node, "claire"))
    assert (row.finding, row.person, row.reason) == (found, "claire", WHY)
    person = caller_named(hall.node, "claire")
    assert len(read_report(hall.node, person, REPORT_ID).stages) == 1


def test_without_a_reason_nothing_is_released_and_the_tick_stays(hall: Hall) -> None:
    claire = hall.browser("claire")
    (found,) = alarms(send(claire, TAG).text)
    again = send(claire, TAG, no_patient=found, no_patient_why=" ")
    assert again.status_code == 422
    assert f'value="{found}" checked' in again.text
    assert "say it, in at most" in again.text
    assert list_releases(hall.node, caller_named(hall.node, "amelie")) == ()


def test_one_of_two_findings_released_is_not_enough(hall: Hall) -> None:
    claire = hall.browser("claire")
    first, second = alarms(send(claire, TEXT).text)
    again = send(claire, TEXT, no_patient=first, no_patient_why=WHY)
    assert again.status_code == 422
    assert alarms(again.text) == [second]


def test_a_text_that_was_mended_needs_no_release(hall: Hall) -> None:
    claire = hall.browser("claire")
    (found,) = alarms(send(claire, TAG).text)
    done = send(claire, "PACS encrypted", no_patient=found, no_patient_why="")
    assert done.status_code == 303
    assert list_releases(hall.node, caller_named(hall.node, "amelie")) == ()


def test_a_pasted_indicator_is_shown_as_it_was_typed(hall: Hall) -> None:
    pasted = "198.51.100[.]7\nhttps://files.example.net/a?nir=255081416802538"
    answer = send(hall.browser("claire"), "PACS encrypted", indicators=pasted)
    assert answer.status_code == 422
    assert "<mark>255081416802538</mark>" in answer.text


def test_findings_of_a_program_are_released_by_their_ids(hall: Hall) -> None:
    claire = hall.browser("claire")
    odd = claire.send("/console/patients", findings="abc", reason=WHY)
    assert odd.status_code == 422
    assert "is no id of a finding" in odd.text
    done = claire.send("/console/patients", findings=f"{'ab' * 16}\n{'cd' * 16}", reason=WHY)
    assert done.status_code == 303
    page = claire.get("/console/patients").text
    assert "ab" * 16 in page
    assert "cd" * 16 in page
    assert WHY in page
    assert "ab" * 16 not in hall.browser("essais").get("/console/patients").text
    reader = hall.browser("reader")
    assert "ab" * 16 in reader.get("/console/patients").text
    assert "<textarea" not in reader.get("/console/patients").text
    assert reader.send("/console/patients", findings="ef" * 16, reason=WHY).status_code == 403
