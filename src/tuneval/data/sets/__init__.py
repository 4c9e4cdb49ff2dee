"""Known sets: the well-known ones by name, with their hub id, field mapping, licence and size.

known      KnownSet, known_sets(), known_set(name)
shapes     what makes of an unusual shape one that an entry can describe
*.yaml     the table, a row a set; `entry` is as in LLaMA-Factory's registry (see `data.registry`)

What nobody could vouch for is "unknown" in the table. A licence is that of the hub's page, no
advice: the texts inside may have others.
"""
