"""A check's report as JUnit XML, as CI systems show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from tuneval.data.finding import Severity
from tuneval.data.profile import Profile
from tuneval.data.profiles import PROFILES
from tuneval.data.validate import CheckReport, RuleFindings

# What reading finds is always looked for; the rules of the profile come after.
_READING = ("file", "encoding", "json", "format", "shape", "tools")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(reports: Sequence[CheckReport], *, strict: bool = False) -> bytes:
    """A test suite for each set, a test case for each rule; it fails where the rule is broken.

    Errors are failures, with `strict` warnings too; other findings are the case's output.
    """
    root = ElementTree.Element("testsuites", name="tuneval data check")
    failing: set[Severity] = {"error", "warning"} if strict else {"error"}
    for report in reports:
        root.append(_suite(report, failing))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _suite(report: CheckReport, failing: set[Severity]) -> ElementTree.Element:
    profile: Profile = PROFILES.load(report.profile)
    groups = report.by_rule()
    families = dict.fromkeys([*_READING, *profile.rules, *(_family(g) for g in groups)])
    cases = [
        _case(report, family, [g for g in groups if _family(g) == family], failing)
        for family in families
    ]
    n_failed = sum(case.find("failure") is not None for case in cases)
    suite = ElementTree.Element(
        "testsuite",
        name=_legal(report.file),
        tests=str(len(cases)),
        failures=str(n_failed),
        errors="0",
        skipped="0",
        time="0",
    )
    about = {
        "profile": report.profile,
        "format": report.format or "unknown",
        "records": str(report.n_records),
        "usable": str(report.n_usable),
    }
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in about.items():
        ElementTree.SubElement(properties, "property", name=name, value=_legal(value))
    suite.extend(cases)
    return suite


def _case(
    report: CheckReport, family: str, groups: list[RuleFindings], failing: set[Severity]
) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", classname=_legal(report.file), name=_legal(family), time="0"
    )
    broken = [group for group in groups if group.severity in failing]
    if broken:
        kinds = ", ".join(f"{group.rule} ({group.count})" for group in broken)
        failure = ElementTree.SubElement(
            case, "failure", type=_legal(broken[0].rule), message=_legal(kinds)
        )
        failure.text = _lines(broken)
    if others := [group for group in groups if group.severity not in failing]:
        ElementTree.SubElement(case, "system-out").text = _lines(others)
    return case


def _lines(groups: list[RuleFindings]) -> str:
    lines = []
    for group in groups:
        for finding in group.findings:
            lines.append(f"{finding.where}: {finding.severity}: {finding.what} [{finding.rule}]")
            lines.append(f"  mend: {finding.mend}")
        if n_more := group.count - len(group.findings):
            lines.append(f"… and {n_more} more of {group.rule}")
    return _legal("\n".join(lines))


def _family(group: RuleFindings) -> str:
    """`roles` of `roles.unknown`: the row of RULES, or what reading calls it."""
    return group.rule.partition(".")[0]


def _legal(text: str) -> str:
    r"""The text with what XML cannot hold, such as U+0000, as the escape `\x00`."""
    return _ILLEGAL.sub(lambda found: ascii(found[0])[1:-1], text)
