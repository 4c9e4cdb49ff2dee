"""lm-evaluation-harness beside tuneval: its tasks, our models as its own, its results as ours.

posed     PosedTask: its tasks as questions of ours, graded by its code (the task kind `lm_eval`)
model     TunevalLm: a model of ours as lm-eval asks it, registered there as "tuneval"
run       run_lm_eval: lm-eval's own tasks, asked by itself of that model
loading   its tasks loaded, its errors as ours; settings: how it wants answers written
results   result and sample files of lm-eval, found in a folder and read
samples   the items that its sample rows become
bring     import_results: evaluation folders from them, ready for `tuneval compare`

May import: the rest of evaluation. lm-eval (the extra `lm-eval`) in `model` alone as a whole,
elsewhere only at work: importing result files needs neither it nor torch.
"""
