"""What a training will need, before its weights are loaded: memory, steps, operations.

Verb: `plan_training`. The model is built without weights and one micro-batch is run through it
with tensors that have shapes only, so the numbers are those of its real code.
"""

from tuneval.training.planning.plan import Change, TrainingPlan, plan_training

__all__ = ["Change", "TrainingPlan", "plan_training"]
