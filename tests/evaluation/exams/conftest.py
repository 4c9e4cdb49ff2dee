"""Small exams in the official layouts, and the folder of real data files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

TEST_DATA = os.environ.get("TUNEVAL_TEST_DATA")

CEVAL_DEV = """id,question,A,B,C,D,answer,explanation
0,1+1等于____。,1,2,3,4,B,1. 一加一等于二。
1," 首都是哪里 ",上海,北京,广州,"天津,市",B,"1. 先想。
2. 再想。"
"""
CEVAL_VAL = """id,question,A,B,C,D,answer
0,2+2等于____。,1,2,3,4,D
7,"下列说法，
正确的是____。",甲,乙,丙,丁,A
"""
CEVAL_TEST = """id,question,A,B,C,D
0,3+3等于____。,6,7,8,9
"""
MMLU_DEV = 'What is 1+1?,1,2,3,4,B\n"Which, then?",None,01,NA,nan,C\n'
MMLU_TEST = 'What is "up"?,left,right,top,down,C\n'


@pytest.fixture
def real_data() -> Path:
    """The folder of real data files; skips without it."""
    if not TEST_DATA:
        pytest.skip("TUNEVAL_TEST_DATA does not name a folder of real data files")
    return Path(TEST_DATA)


@pytest.fixture
def ceval(tmp_path) -> Path:
    """C-Eval with one subject of few questions; its test split has no answers."""
    for split, text in (("dev", CEVAL_DEV), ("val", CEVAL_VAL), ("test", CEVAL_TEST)):
        (tmp_path / split).mkdir()
        (tmp_path / split / f"logic_{split}.csv").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def mmlu(tmp_path) -> Path:
    """MMLU with one subject of few questions."""
    for split, text in (("dev", MMLU_DEV), ("test", MMLU_TEST)):
        (tmp_path / split).mkdir()
        (tmp_path / split / f"high_school_physics_{split}.csv").write_text(text, encoding="utf-8")
    return tmp_path
