"""A model behind an address that speaks OpenAI's protocol.

respondent   EndpointRespondent, open_endpoint: many questions in flight, answers kept as they come
asking       questions as they are sent: messages, a text to go on from, a text with each choice
client       one question through the `openai` package, asked again where that helps
failures     what is worth another attempt, when, and errors in our words

Needs the extra `endpoint`; no torch, and no tokenizer: what is too long only the address knows.
"""
