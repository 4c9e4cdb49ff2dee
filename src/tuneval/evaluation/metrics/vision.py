"""Boxes in pictures; an item is a picture.

The fields `boxes` and `reference_boxes` list {"box": [x1, y1, x2, y2], "label": …, "score": …};
label and score may be missing. Without `boxes` the answer's text is read as JSON of the same
form, of one such box, or of one [x1, y1, x2, y2]; where nothing can be read there is no box. An
answered box of no area holds nothing, and is a surplus one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tuneval.evaluation.kinds import PerItem
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.values.read import as_number, plain_label, why_unanswered

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item

NO_BOXES, BAD_BOXES = "no reference boxes", "a box is not [x1, y1, x2, y2] with x1 < x2, y1 < y2"


@dataclass(frozen=True, slots=True)
class Box:
    """A box by its corners, the class of what is in it, and how sure the system is of it."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str = ""
    score: float = 1.0

    @property
    def area(self) -> float:
        """In squares of the coordinates' unit."""
        return (self.x2 - self.x1) * (self.y2 - self.y1)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)


class Boxes(NamedTuple):
    """The boxes that were answered, and the true ones."""

    said: Sequence[Box]
    true: Sequence[Box]


def boxes_of(item: Item) -> Boxes | Unscored:
    """The answered and the true boxes of an item."""
    given = item.fields.get("reference_boxes")
    if given is None:
        return Unscored(NO_BOXES)
    true = read_boxes(given)
    if true is not None and not all(box.area for box in true):
        true = None
    if true is None:
        return Unscored(f"reference: {BAD_BOXES}")
    if "boxes" in item.fields:
        said = read_boxes(item.fields["boxes"])
        return Unscored(BAD_BOXES) if said is None else Boxes(said, true)
    reason = why_unanswered(item)
    if reason is not None:
        return Unscored(reason)
    return Boxes(read_boxes(_json(item.said or "")) or [], true)


def read_boxes(value: Any) -> list[Box] | None:
    """The boxes of a list, or of one of them alone; None where one of them is none."""
    is_one = isinstance(value, dict) or (
        isinstance(value, list | tuple) and len(value) == 4 and as_number(value[0]) is not None
    )
    if not is_one and not isinstance(value, list | tuple):
        return [] if value is None else None
    boxes = [_box(part) for part in ([value] if is_one else value)]
    whole = [box for box in boxes if box is not None]
    return whole if len(whole) == len(boxes) else None


def _box(value: Any) -> Box | None:
    row = value if isinstance(value, dict) else {"box": value}
    corners = row.get("box")
    if not isinstance(corners, list | tuple) or len(corners) != 4:
        return None
    numbers = [number for corner in corners if (number := as_number(corner)) is not None]
    score = as_number(row.get("score", 1.0))
    if len(numbers) != 4 or score is None:
        return None
    x1, y1, x2, y2 = numbers
    is_box = x1 <= x2 and y1 <= y2
    return Box(x1, y1, x2, y2, plain_label(row.get("label", "")), score) if is_box else None


def _json(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list | dict) else None


def mean_iou(said: Sequence[Box], true: Sequence[Box]) -> float:
    """Of the pairing of boxes of one label that gives most: IoU over the larger number of boxes.

    1 where there are none on either side.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    if not said or not true:
        return float(not said and not true)
    overlap = np.array([[a.iou(b) if a.label == b.label else 0.0 for b in true] for a in said])
    pairs = linear_sum_assignment(overlap, maximize=True)
    return float(overlap[pairs].sum()) / max(len(said), len(true))


def _score(item: Item) -> float | Unscored:
    found = boxes_of(item)
    return found if isinstance(found, Unscored) else mean_iou(found.said, found.true)


IOU = PerItem(
    about=About(
        name="iou",
        family="vision",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("boxes",),
        source="intersection over union of boxes, Jaccard (1901), in the one-to-one pairing that "
        "gives most (Kuhn 1955); missing and surplus boxes count as 0",
        use="where an answer names one box, or a few, without saying how sure it is",
        avoid="for detectors that give many boxes with scores: use map_boxes",
    ),
    score=_score,
)
