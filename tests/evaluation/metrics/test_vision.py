from __future__ import annotations

import contextlib
import io
import itertools

import numpy as np
import pytest
from answers import answer, difference, result, value
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tuneval.errors import UsageError
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.metrics.average_precision import _hits_for_levels
from tuneval.evaluation.metrics.vision import BAD_BOXES, Box, mean_iou

CORNER = st.integers(0, 12)
BOX = st.tuples(CORNER, CORNER, st.integers(1, 8), st.integers(1, 8)).map(
    lambda b: Box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def cells(box: Box) -> set[tuple[int, int]]:
    return set(itertools.product(range(int(box.x1), int(box.x2)), range(int(box.y1), int(box.y2))))


@given(BOX, BOX)
def test_the_overlap_is_that_of_counted_cells(a: Box, b: Box) -> None:
    expected = len(cells(a) & cells(b)) / len(cells(a) | cells(b))
    assert a.iou(b) == pytest.approx(expected)
    assert b.iou(a) == a.iou(b)


@settings(max_examples=30)
@given(st.lists(BOX, min_size=1, max_size=3), st.lists(BOX, min_size=1, max_size=4))
def test_boxes_are_paired_so_as_to_overlap_most(said: list[Box], true: list[Box]) -> None:
    few, many = sorted((said, true), key=len)
    best = max(
        sum(a.iou(b) for a, b in zip(few, order, strict=True))
        for order in itertools.permutations(many, len(few))
    )
    assert mean_iou(said, true) == pytest.approx(best / len(many))


def test_boxes_of_other_labels_do_not_overlap() -> None:
    a = {"box": [0, 0, 2, 2], "label": "Cat"}
    assert value("iou", [answer(boxes=[a], reference_boxes=[{**a, "label": "cat "}])]) == 1.0
    assert value("iou", [answer(boxes=[a], reference_boxes=[{**a, "label": "dog"}])]) == 0.0


def test_missing_and_surplus_boxes_count_as_0() -> None:
    a, b = [0, 0, 2, 2], [5, 5, 7, 7]
    assert value("iou", [answer(boxes=[a], reference_boxes=[a, b])]) == 0.5
    assert value("iou", [answer(boxes=[a, b], reference_boxes=[a])]) == 0.5
    assert value("iou", [answer(boxes=[], reference_boxes=[a])]) == 0.0
    assert value("iou", [answer(boxes=[], reference_boxes=[])]) == 1.0


@pytest.mark.parametrize(
    "text", ["[0, 0, 2, 2]", "[[0, 0, 2, 2]]", '{"box": [0, 0, 2, 2]}', '[{"box": [0, 0, 2, 2]}]']
)
def test_a_box_is_read_from_the_answer(text: str) -> None:
    assert value("iou", [answer(text, reference_boxes=[0, 0, 2, 2])]) == 1.0


def test_what_is_no_box_is_none_in_an_answer_and_unscored_in_a_file() -> None:
    for text in ("on the left", "[2, 2, 0, 0]", "[1, 2]", "7", '{"box": "left"}'):
        assert value("iou", [answer(text, reference_boxes=[[0, 0, 2, 2]])]) == 0.0
    items = [
        answer(boxes=[[2, 2, 0, 0]], reference_boxes=[[0, 0, 2, 2]]),
        answer(boxes=[], reference_boxes=[[2, 2, 0, 0]]),
        answer("[0, 0, 1, 1]"),
        answer(reference_boxes=[[0, 0, 2, 2]]),
    ]
    wrong = "a box is not [x1, y1, x2, y2] with x1 < x2, y1 < y2"
    for metric in ("iou", "map_boxes"):
        assert result(metric, items).unscored == {
            wrong: 1,
            f"reference: {wrong}": 1,
            "no reference boxes": 1,
            "not answered": 1,
        }


def pictures(n: int, seed: int, blur: float = 2.0) -> list:
    """Three classes, true boxes found more or less exactly, some missed, some invented."""
    random = np.random.default_rng(seed)
    items = []
    for _ in range(n):
        true, said = [], []
        for _ in range(random.integers(0, 5)):
            x, y = random.uniform(0, 80, 2)
            box = [x, y, x + random.uniform(8, 20), y + random.uniform(8, 20)]
            label = str(random.choice(["cat", "dog", "bird"]))
            true.append({"box": box, "label": label})
            if random.random() < 0.8:
                near = np.array(box) + random.normal(0, blur, 4)
                said.append(
                    {"box": near.tolist(), "label": label, "score": round(random.random(), 1)}
                )
        if random.random() < 0.5:
            invented = str(random.choice(["cat", "dog", "fish"]))
            said.append({"box": [1, 1, 9, 9], "label": invented, "score": random.random()})
        items.append(answer(boxes=said, reference_boxes=true))
    return items


def of_pycocotools(items: list) -> np.ndarray:
    """Its own figures: the mean over thresholds, at 0.50, at 0.75."""
    names = {"cat": 1, "dog": 2, "bird": 3}
    sides = []
    with contextlib.redirect_stdout(io.StringIO()):
        for field in ("reference_boxes", "boxes"):
            rows = [
                {
                    "image_id": place,
                    "category_id": names[row["label"]],
                    "bbox": [*row["box"][:2], *(np.subtract(row["box"][2:], row["box"][:2]))],
                    "area": float(np.prod(np.subtract(row["box"][2:], row["box"][:2]))),
                    "score": row.get("score"),
                    "iscrowd": 0,
                }
                for place, item in enumerate(items)
                for row in item.fields[field]
                if row["label"] in names
            ]
            coco = COCO()
            coco.dataset = {
                "images": [{"id": place} for place in range(len(items))],
                "categories": [{"id": number} for number in names.values()],
                "annotations": [{"id": n, **row} for n, row in enumerate(rows, start=1)],
            }
            coco.createIndex()
            sides.append(coco)
        run = COCOeval(*sides, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats[:3]


@pytest.mark.parametrize("seed", range(4))
def test_the_mean_average_precision_is_that_of_pycocotools(seed: int) -> None:
    items = pictures(12, seed)
    expected = of_pycocotools(items)
    for metric, number in zip(
        ("map_boxes", "map_boxes:0.5", "map_boxes:0.75"), expected, strict=True
    ):
        assert value(metric, items) == pytest.approx(number, abs=1e-12)


def test_the_average_precision_of_a_case_counted_by_hand() -> None:
    # Two true boxes; the surest answer is wrong, the next two are right: precision 1/2 and 2/3.
    # 2/3 is the best at any recall, so that all 101 levels have it.
    a, b, c = [0, 0, 2, 2], [5, 5, 7, 7], [20, 20, 22, 22]
    said = [{"box": box, "score": s} for box, s in ((c, 0.9), (a, 0.8), (b, 0.7))]
    assert value("map_boxes", [answer(boxes=said, reference_boxes=[a, b])]) == pytest.approx(2 / 3)
    # With the sure answer right and the other box missed, 51 of 101 levels are reached.
    item = answer(boxes=[{"box": a, "score": 0.9}], reference_boxes=[a, b])
    assert value("map_boxes", [item]) == pytest.approx(51 / 101)


def test_counting_a_picture_twice_is_the_same_as_a_second_like_it() -> None:
    items = pictures(6, seed=9)
    statistic = load_metric("map_boxes").prepare(items)
    weights = np.array([[2.0, 1, 0, 1, 3, 1]])
    copies = [item for item, n in zip(items, weights[0], strict=True) for _ in range(int(n))]
    assert statistic(weights)[0] == pytest.approx(of_pycocotools(copies)[0], abs=1e-12)


def test_the_detail_has_each_class_and_the_interval_holds_the_value() -> None:
    found = result("map_boxes:0.5", pictures(25, seed=1))
    assert set(found.detail["classes"]) == {"cat", "dog", "bird"}
    assert np.mean(list(found.detail["classes"].values())) == pytest.approx(found.estimate.value)
    assert found.estimate.low < found.estimate.value < found.estimate.high


def test_without_a_true_box_anywhere_there_is_no_precision() -> None:
    items = [answer(boxes=[[0, 0, 2, 2]], reference_boxes=[])]
    assert result("map_boxes", items).estimate is None
    assert difference("map_boxes", items, items) is None
    nothing = [answer(boxes=[], reference_boxes=[[0, 0, 2, 2]])]
    assert value("map_boxes", nothing) == 0.0


def test_sharper_boxes_have_a_difference_above_0() -> None:
    found = difference("map_boxes", pictures(25, 7, blur=4.0), pictures(25, 7, blur=0.5))
    assert found.difference.low > 0
    assert found.p_value < 0.05
    assert found.n_higher > found.n_lower


@pytest.mark.parametrize("threshold", ["0", "50", "half"])
def test_an_overlap_that_no_box_reaches_is_refused(threshold: str) -> None:
    with pytest.raises(UsageError, match="no IoU"):
        load_metric(f"map_boxes:{threshold}")


@pytest.mark.parametrize("wrong", [5, True, "here", 0.5, ""])
def test_a_field_that_is_no_list_of_boxes_is_unscored(wrong: object) -> None:
    item = answer(boxes=wrong, reference_boxes=[[0, 0, 1, 1]])
    assert list(result("iou", [item]).unscored) == [BAD_BOXES]
    item = answer(boxes=[[0, 0, 1, 1]], reference_boxes=wrong)
    assert list(result("iou", [item]).unscored) == [f"reference: {BAD_BOXES}"]


def test_a_picture_alone_and_pictures_left_out_are_as_by_their_weights() -> None:
    items = pictures(25, seed=4)
    statistic = load_metric("map_boxes").prepare(items)
    assert statistic.of_each() == pytest.approx(statistic(np.eye(25)), nan_ok=True)
    members = np.arange(25) // 2
    kept = (members != np.arange(13)[:, None]).astype(float)
    assert statistic.without_each(np.ones(25), members) == pytest.approx(statistic(kept))


def test_levels_of_recall_are_reached_as_floats_compare() -> None:
    boxes = np.arange(1, 301, dtype=float)
    levels = np.linspace(0, 1, 101)
    needed = _hits_for_levels(boxes)
    for of, row in zip(boxes, needed, strict=True):
        expected = [next(h for h in range(302) if h / of >= level) for level in levels]
        assert row.tolist() == expected


@pytest.mark.parametrize("flat", [[1, 1, 1, 5], [1, 1, 5, 1], [1, 1, 1, 1]])
def test_an_answered_box_of_no_area_is_a_surplus_one(flat: list[int]) -> None:
    right = [0, 0, 2, 2]
    assert value("iou", [answer(boxes=[flat], reference_boxes=[right])]) == 0.0
    assert value("iou", [answer(boxes=[right, flat], reference_boxes=[right])]) == 0.5
    sure = [{"box": flat, "score": 0.9}, {"box": right, "score": 0.5}]
    assert value("map_boxes", [answer(boxes=sure, reference_boxes=[right])]) == pytest.approx(0.5)
    item = answer(boxes=[right], reference_boxes=[flat])
    assert list(result("iou", [item]).unscored) == [f"reference: {BAD_BOXES}"]
