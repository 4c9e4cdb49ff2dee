"""Language models: find one, load it, adapt it, ask how likely a text is or what it would say.

Verbs: `parse_reference`, `load_model`, `load_tokenizer` (load.py); `attach`, `count_parameters`
(methods/); `measure_likelihood`, `measure_nll` (likelihood.py); `generate` (generation.py);
`load_encoder` (embeddings.py). Everything that needs log-probabilities or completions goes
through likelihood and generation. `engines` measure likelihood here, on Ray or through vLLM.
Importing this room imports no torch; its modules do when they are used.
May import: tokenization, runs, files, environment, catalog, extras, errors.
"""
