"""lm-evaluation-harness beside tuneval: its tasks on our models, and its results as ours.

model     TunevalLm: a model of ours as lm-eval asks it, registered there as "tuneval"
run       run_lm_eval: lm-eval's own tasks, asked of it
results   result and sample files of lm-eval, found in a folder and read
samples   the items that its sample rows become
bring     import_results: evaluation folders from them, ready for `tuneval compare`

May import: the rest of evaluation. lm-eval (the extra `lm-eval`) only in `model` and `run`:
importing result files needs neither it nor torch.
"""
