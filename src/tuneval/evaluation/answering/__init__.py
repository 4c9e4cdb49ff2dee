"""How answers are obtained: `teacher_forced.measure` and `generated.answer`.

Both append each item as it is finished (`kept.Kept`) and go on where a crash stopped them.
May import: models, tokenization, data, runs, files, errors.
"""
