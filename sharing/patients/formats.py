"""Pieces of patients' records in the formats of hospitals: HL7, FHIR, CDA, DICOM.

The format says what the data are, whatever stands in them.
"""

import re
from collections.abc import Iterator

from sharing.patients.finding import Finding, Kind, Reason

_VALUE = 120
_RESOURCE = 400
_LINE_END = re.compile(r"[\r\n]")
_SEGMENT = re.compile(r"\b(?:PID|NK1|GT1|IN1)\|[^\r\n]{3,2000}")
_FHIR = re.compile(r"\"resourceType\"\s{0,8}:\s{0,8}\"(?:Patient|RelatedPerson|Coverage)\"")
_CDA = re.compile(r"<(?:\w{1,20}:)?(?:patientRole|recordTarget|patientPatient)\b")
# Name, id, issuer, birth date, other ids and names, address, mother's name, telephone.
_DICOM = re.compile(r"\(0010, ?(?:0010|0020|0021|0030|1000|1001|1005|1040|1060|2154)\)")
_TAG_END = re.compile(r"[\r\n#]|\(00")


def formats(text: str) -> Iterator[Finding]:
    """Every piece of a patient's record; it reaches to the end of its segment or value."""
    if "|" in text:
        for segment in _SEGMENT.finditer(text):
            yield _finding(segment.start(), segment.end(), "HL7 segment")
    if "resourceType" in text:
        for resource in _FHIR.finditer(text):
            end = _LINE_END.search(text, resource.end(), resource.end() + _RESOURCE)
            last = end.start() if end else min(len(text), resource.end() + _RESOURCE)
            yield _finding(resource.start(), last, "FHIR resource")
    if "<" in text:
        for element in _CDA.finditer(text):
            yield _finding(element.start(), element.end(), "CDA document")
    if "(0010," in text:
        for tag in _DICOM.finditer(text):
            end = _TAG_END.search(text, tag.end(), tag.end() + _VALUE)
            last = end.start() if end else min(len(text), tag.end() + _VALUE)
            yield _finding(tag.start(), last, "DICOM tag")


def _finding(start: int, end: int, detail: str) -> Finding:
    return Finding(start, end, Kind.RECORD, Reason.RECORD_FORMAT, certain=True, detail=detail)
