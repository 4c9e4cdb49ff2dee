"""A task put to a model: from its questions to a result that says how it came about.

prepare_task   PreparedTask: questions read, a part of them drawn (draw), perturbed copies added
evaluate_task  evaluate_task: asked, kept as they come, graded, accounted for; resumable
answers        rounds of questions, each kept item by item; answered: the items they become;
               turns: conversations whose later questions hold earlier answers
overall        figures of the whole task: macro averages, what a drawn part stands for, strata
task_record    how a task was asked: protocol, hashes, strata, invariance

May import: the rest of evaluation below `suites`. Torch only behind a Respondent.
"""
