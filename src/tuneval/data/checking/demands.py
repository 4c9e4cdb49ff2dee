"""What a profile asks of a set as a whole: its format, and how the records lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tuneval.data.detection import Beginning
from tuneval.data.draft import Draft
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.profile import Profile
from tuneval.data.record import finding_at

_ARRAY = "file.array_not_jsonl"


@dataclass(frozen=True, slots=True)
class Demands:
    """A profile, and the set that is held against it. `container` is None when it is not known."""

    profile: Profile
    name: str
    container: str | None

    def broken(self, beginning: Beginning) -> Iterator[Finding]:
        """Those that the set as a whole does not meet."""
        format, wanted = beginning.detection.format, self.profile.formats
        if format is not None and wanted and format.name not in wanted:
            yield finding_at(
                beginning.first or Source(self.name, 1),
                "format.not_of_profile",
                f"The set is in the format {format.name}; the profile {self.profile.name} is for "
                f"{' or '.join(wanted)}.",
                mend=f"tuneval data convert --to {wanted[0]}, or check by another profile",
            )
        if self._lies_otherwise:
            is_array = str(self.container).endswith("json array")
            yield finding_at(
                Source(self.name, 1),
                _ARRAY if is_array else "file.not_json_lines",
                f"The file is {'one JSON array' if is_array else self.container}; the profile "
                f"{self.profile.name} asks for one JSON object on each line.",
                mend=f"tuneval data convert --to {wanted[0]} --out lines.jsonl"
                if wanted
                else "write each record on a line of its own",
            )

    def without_doubles(self, items: Iterable[Draft | Finding]) -> Iterator[Draft | Finding]:
        """Drafts and findings but for what `broken` has said already, and more sternly."""
        for item in items:
            if not (self._lies_otherwise and isinstance(item, Finding) and item.rule == _ARRAY):
                yield item

    @property
    def _lies_otherwise(self) -> bool:
        """Whether lines are asked for, and the file surely holds none."""
        known = self.container not in (None, "folder")
        return self.profile.json_lines and known and not str(self.container).endswith("json lines")
