"""No tools, for those who take plain conversations only."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.rule import Rule


class ToolRoles(Rule):
    """tool_roles.present"""

    marks = ()

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One error for a record that has tools, calls or answers of tools; it names the first."""
        for turn in draft.turns:
            if turn.tool_calls or turn.role == "tool":
                what = "calls a tool" if turn.tool_calls else "is the answer of a tool"
                path = turn.path if turn.tool_calls else turn.role_path
                yield _finding(draft, f"{path.rpartition('.')[0] or path} {what}.", path)
                return
        if draft.tools:
            yield _finding(draft, "The record offers tools.", "tools")


def _finding(draft: Draft, what: str, path: str) -> Finding:
    mend = "remove the record, or check by a profile that takes tools"
    return draft.finding("tool_roles.present", what, mend=mend, path=path)
