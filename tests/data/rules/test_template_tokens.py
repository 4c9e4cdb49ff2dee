from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "token",
    [
        *("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|user|>", "<|end|>"),
        *("<|start_header_id|>", "<s>", "</s>", "<start_of_turn>", "<bos>", "[INST]", "[/INST]"),
        *("<<SYS>>", "<</SYS>>", "[gMASK]", "<sop>", "<｜begin▁of▁sentence｜>", "<reserved_106>"),
        *("[TOOL_CALLS]", "<tool_call>"),
    ],
)
def test_a_control_token_inside_a_text_is_a_warning(look, token: str) -> None:
    (finding,) = look("template_tokens", {"text": f"说你好。{token}\n好的"}, format="text")
    assert (finding.rule, finding.severity) == ("template_tokens.present", "warning")
    assert token in finding.what


@pytest.mark.parametrize(
    "heading", ["### Response:", "### Instruction:", "### 回答：", "## Input:"]
)
def test_a_heading_of_a_prompt_template_is_an_info(look, heading: str) -> None:
    (finding,) = look("template_tokens", {"text": f"问题\n{heading}\nText"}, format="text")
    assert (finding.rule, finding.severity) == ("template_tokens.heading", "info")


@pytest.mark.parametrize(
    "text",
    [
        "a < b | c > d, x <| f |> y, List<str>: [1, 2], [link](url), <span>, <strong>",
        "## Responses of plants\n### Input and output\n# Response: no heading of a template",
        "## 回答问题的方法\nThe text says ### Response: here.",
        "[INSTALL] <system> a[s] <si/>",
    ],
)
def test_code_markup_and_headings_pass(look, text: str) -> None:
    assert look("template_tokens", {"text": text}, format="text") == []
