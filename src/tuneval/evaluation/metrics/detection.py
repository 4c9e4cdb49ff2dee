"""Mean average precision of detected boxes, as COCO counts it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tuneval.errors import UsageError
from tuneval.evaluation.kinds import OfArgument, OfWeights
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.metrics.vision import Box, Boxes, boxes_of
from tuneval.evaluation.values.read import as_number
from tuneval.extras import require

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.evaluation.metrics.average_precision import Matches
    from tuneval.statistics.bootstrap import LeavesOut

COCO_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
MOST_DETECTIONS = 100


def _prepare(thresholds: Sequence[float], items: Sequence[Item]) -> LeavesOut:
    from tuneval.evaluation.metrics.average_precision import MeanPrecision

    found = [boxes for item in items if isinstance(boxes := boxes_of(item), Boxes)]
    return MeanPrecision([*_match(found, thresholds).values()])


def _match(pictures: Sequence[Boxes], thresholds: Sequence[float]) -> dict[str, Matches]:
    """Which detections are matched, class by class; by pycocotools."""
    import numpy as np

    labels = sorted({box.label for boxes in pictures for box in boxes.true})
    if not labels:
        return {}
    cocoeval = require(
        "pycocotools.cocoeval", extra="eval", why="to match detected boxes with the true ones"
    )
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    with contextlib.redirect_stdout(io.StringIO()):
        truth = _coco([boxes.true for boxes in pictures], numbers)
        said = _coco([boxes.said for boxes in pictures], numbers)
        run = cocoeval.COCOeval(truth, said, "bbox")
        run.params.iouThrs = np.array(thresholds)
        run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
        run.params.maxDets = [MOST_DETECTIONS]
        run.evaluate()
    size = len(pictures)
    # evaluate() puts the pictures of one class together, in the order of their numbers.
    by_class = [run.evalImgs[start : start + size] for start in range(0, len(run.evalImgs), size)]
    return {
        label: _matches(rows, size, len(thresholds))
        for label, rows in zip(labels, by_class, strict=True)
    }


def _matches(rows: Sequence[Mapping[str, Any] | None], size: int, n_thresholds: int) -> Matches:
    import numpy as np

    from tuneval.evaluation.metrics.average_precision import Matches

    n_true, pictures = np.zeros(size), [np.empty(0, dtype=np.intp)]
    scores, right = [np.empty(0)], [np.empty((n_thresholds, 0), dtype=bool)]
    for place, row in enumerate(rows):
        if row is not None:
            n_true[place] = len(row["gtIds"])
            pictures.append(np.full(len(row["dtScores"]), place))
            scores.append(np.array(row["dtScores"]))
            right.append(row["dtMatches"] > 0)
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return Matches(np.concatenate(pictures)[order], np.concatenate(right, axis=1)[:, order], n_true)


def _coco(pictures: Sequence[Sequence[Box]], numbers: Mapping[str, int]) -> Any:
    """The boxes as pycocotools wants them; those of other classes are left out."""
    coco = require("pycocotools.coco", extra="eval", why="to match detected boxes").COCO()
    rows = [
        {
            "image_id": place,
            "category_id": numbers[box.label],
            "score": box.score,
            "bbox": [box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1],
            "area": box.area,
            "iscrowd": 0,
        }
        for place, boxes in enumerate(pictures)
        for box in boxes
        if box.label in numbers
    ]
    coco.dataset = {
        "images": [{"id": place} for place in range(len(pictures))],
        "categories": [{"id": number} for number in numbers.values()],
        # 0 would stand for "not matched".
        "annotations": [{"id": number, **row} for number, row in enumerate(rows, start=1)],
    }
    coco.createIndex()
    return coco


def _reason(item: Item) -> str | None:
    found = boxes_of(item)
    return found.reason if isinstance(found, Unscored) else None


def _by_class(thresholds: Sequence[float], items: Sequence[Item]) -> Mapping[str, Any]:
    """Each class's average precision."""
    import numpy as np

    found = [boxes for item in items if isinstance(boxes := boxes_of(item), Boxes)]
    once = np.ones((1, len(found)))
    return {
        "classes": {
            label: float(matches.precision(once).mean())
            for label, matches in _match(found, thresholds).items()
        }
    }


def map_boxes(argument: str) -> OfWeights:
    """At one threshold of IoU, or at COCO's ten where none is given. Raises UsageError."""
    threshold = as_number(argument) if argument else None
    if argument and (threshold is None or not 0 < threshold <= 1):
        raise UsageError(
            f"'{argument}' is no IoU that a box can reach.",
            where=f"map_boxes:{argument}",
            mend="write map_boxes:0.5, or map_boxes for COCO's mean over 0.50 to 0.95",
        )
    thresholds = COCO_THRESHOLDS if threshold is None else (threshold,)
    return OfWeights(
        about=replace(_ABOUT, name=f"map_boxes:{argument}"),
        reason=_reason,
        prepare=partial(_prepare, thresholds),
        table=partial(_by_class, thresholds),
    )


_ABOUT = About(
    name="map_boxes",
    family="vision",
    unit="share",
    higher_is_better=True,
    range=(0.0, 1.0),
    needs=("boxes",),
    source="Lin et al. (2014): mean over classes and IoU from 0.50 to 0.95 of the precision at "
    "101 levels of recall; at most 100 boxes of a class in a picture; matching by pycocotools",
    use="for detectors: whether true boxes are found, and sure answers are right",
    avoid="where boxes have no scores: their order then is that of the answer; use iou",
)
MAP_BOXES = OfArgument(about=_ABOUT, argument="IoU", make=map_boxes, default="", example="0.5")
