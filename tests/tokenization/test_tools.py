"""Conversations with tools: the call is learnt, the tool's answer is not, nothing is lost."""

from __future__ import annotations

import pytest

from tuneval.data.example import Example, Message, Source, ToolCall
from tuneval.errors import DataError
from tuneval.tokenization.template import Template

# The shape of Qwen's and Hermes' templates: tools in the system turn, calls in tags.
HERMES = """\
{%- if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}<|im_start|>user
<tool_response>{{ message.content }}</tool_response><|im_end|>
{% elif message.role == 'assistant' %}<|im_start|>assistant
{{ message.content }}
{%- for call in message.tool_calls or [] -%}
<tool_call>{{ {'name': call.function.name,
 'arguments': call.function.arguments} | tojson }}</tool_call>
{%- endfor %}<|im_end|>
{% else %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
CONVERSATION = Example(
    (
        Message("user", "巴黎天气如何？"),
        Message("assistant", "", tool_calls=(ToolCall("get_weather", '{"city": "巴黎"}'),)),
        Message("tool", '{"celsius": 21}', name="get_weather"),
        Message("assistant", "21 度。"),
    ),
    Source("weather.jsonl", 1),
    tools=(TOOL,),
)


@pytest.fixture(scope="module")
def hermes(smollm) -> Template:
    return Template("hermes", HERMES, smollm.tokenizer)


def test_calls_and_answers_are_trained_and_what_tools_say_is_not(hermes):
    tokens = hermes.encode(CONVERSATION).tokens
    learnt = hermes.tokenizer.decode(tokens.ids[tokens.loss_mask])
    assert learnt == (
        '<tool_call>{"name": "get_weather", "arguments": {"city": "巴黎"}}</tool_call><|im_end|>'
        "21 度。<|im_end|>"
    )
    given = hermes.tokenizer.decode(tokens.ids[~tokens.loss_mask])
    assert "<tool_response>" in given
    assert '"parameters"' in given


def test_generation_is_asked_with_the_tools_that_training_showed(hermes):
    asked = hermes.encode_prompt(CONVERSATION.prompt, CONVERSATION.tools)
    assert hermes.encode(CONVERSATION).tokens.ids[: len(asked)].tolist() == asked


@pytest.mark.parametrize(
    ("example", "what"),
    [
        (CONVERSATION, "the tools"),
        (Example(CONVERSATION.messages, CONVERSATION.source), "tool calls"),
    ],
)
def test_a_template_that_would_leave_tools_out_is_refused(smollm, example, what):
    plain = Template("own", smollm.tokenizer.chat_template, smollm.tokenizer)
    with pytest.raises(DataError, match=f"does not write {what}"):
        plain.encode(example)
