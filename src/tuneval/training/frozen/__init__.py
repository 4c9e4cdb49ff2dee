"""What the frozen layers compute, kept from the first epoch on.

Where the layers below the first trained one stay as they are, what leaves them is the same in
every epoch. It is computed once for each packed row and kept on the disk, so that later epochs,
and every later look at held-out rows, run only the layers above. The losses are the same.

`frozen_body` gives the way through a model that does so; `remove_cache` takes its files away.
"""

from tuneval.training.frozen.body import FrozenBody, frozen_body, remove_cache

__all__ = ["FrozenBody", "frozen_body", "remove_cache"]
