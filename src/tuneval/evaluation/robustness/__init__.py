"""Questions asked once more in other clothes, and what that costs a model.

perturb        `perturb(questions, names, seed=…)`: the perturbed copies, and what could not change
perturbations  the ways to change a text, one row each, chosen by name
protect        which part of a prompt may change: never options, numbers, formulae or the key
families       an answered question with the answers to its copies
May import: data, catalog, extras, errors. No torch.
"""
