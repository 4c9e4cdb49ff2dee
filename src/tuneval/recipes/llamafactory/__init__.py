"""The way over from LLaMA-Factory and ChatGLM-Efficient-Tuning.

`read_arguments(source)` reads a YAML file or a whole command in one string; `translate(arguments)`
gives the equivalent recipe, evaluations and export, with a word on every flag that is followed
otherwise or not at all; `carry_out(translation)` does them and lays the files where their users
look for them. Reading and translating import no torch.
"""
