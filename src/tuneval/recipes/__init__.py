"""An experiment in one YAML file: verbs put in order, resumed by hashes.

Verbs: `load_recipe`, `plan_recipe`, `run_recipe`. A recipe names its data, its base model and its
steps; every step writes into the run's folder and is skipped when its key is already done there.
May import: every room below; loading and planning import no torch.
"""
