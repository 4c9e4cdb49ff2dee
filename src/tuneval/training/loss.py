"""The loss of a micro-batch: from its tokens to nats, the vocabulary only where it is needed.

A model's body gives hidden states at the labelled positions; the output head turns these into the
loss in pieces, so the logits of a whole batch never exist at once, neither forward nor backward.
Heads that are more than one matrix (scaled, capped or adapted logits) run as the model has them.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from tuneval.models.forward import core_model
from tuneval.models.packed_attention import Layout
from tuneval.training.body import Body, body_of

# Logits that exist at once: 256 positions of a 49k vocabulary.
CHUNK_LOGITS = 12_582_912
PROBE_TOKENS = 8


class NextTokenLoss(torch.nn.Module):
    """A tuned model as the Trainer sees it: micro-batch in, summed loss out.

    `language_model` is the model with its tuning method attached. `has_plain_head` says whether its
    logits are one matrix times the last hidden state; None: a few tokens tell.
    """

    def __init__(
        self,
        language_model: Any,
        body: Body | None = None,
        *,
        has_plain_head: bool | None = None,
    ) -> None:
        super().__init__()
        self.language_model = language_model
        self.body = body_of(language_model) if body is None else body
        self.has_plain_head = (
            _has_plain_head(language_model) if has_plain_head is None else has_plain_head
        )

    @property
    def config(self) -> Any:
        """The language model's own config, as trackers want it."""
        return core_model(self.language_model).config

    def forward(self, **inputs: Any) -> torch.Tensor:
        """Sum of the cross-entropies in nats over all labelled positions; see `Collate`."""
        labels = inputs["labels"][0]
        if not self.has_plain_head:
            logits = self.body.logits(inputs).float()
            return F.cross_entropy(logits, labels, reduction="sum")
        head = core_model(self.language_model).get_output_embeddings()
        hidden = self.body.hidden(inputs)
        total: torch.Tensor = _HeadLoss.apply(hidden, head.weight, head.bias, labels)
        return total


def _has_plain_head(language_model: Any) -> bool:
    """Whether the logits are one matrix times the last hidden state; tried on a few tokens."""
    core = core_model(language_model)
    head = core.get_output_embeddings()
    if type(head) is not torch.nn.Linear or core.get_decoder() is core:
        return False
    ids = torch.arange(PROBE_TOKENS, device=head.weight.device)[None]
    layout = Layout(0, ((0, PROBE_TOKENS),))
    was_training = core.training
    core.eval()
    with torch.no_grad():
        inputs = {"input_ids": ids, "position_ids": ids, "layout": layout, "use_cache": False}
        whole = core(**inputs).logits
        parts = head(core.get_decoder()(**inputs).last_hidden_state)
    core.train(was_training)
    tolerance = 1e-3 * whole.abs().max().clamp(min=1.0)
    return bool((whole - parts).abs().max() <= tolerance)


class _HeadLoss(torch.autograd.Function):
    """Summed cross-entropy of a linear head, its gradients made chunk by chunk on the way.

    The gradient of a softmax is the softmax less one at the label, so forward has all that
    backward needs while a chunk's logits are there; backward only scales. Wijmans et al.,
    arXiv:2411.09009, have the same idea in a kernel.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        labels: torch.Tensor,
    ) -> torch.Tensor:
        """`hidden` (K, D), `weight` (V, D), `bias` (V,) or None, `labels` (K,) int64."""
        needs_hidden, needs_weight, needs_bias, _ = ctx.needs_input_grad
        device = hidden.device.type
        autocast = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        with torch.autocast(device, enabled=False):
            rows = hidden.to(autocast or weight.dtype)
            matrix = weight.to(rows.dtype)
            total = torch.zeros((), dtype=torch.float32, device=hidden.device)
            grad_hidden = torch.empty_like(hidden) if needs_hidden else None
            grad_weight = torch.zeros_like(weight) if needs_weight else None
            grad_bias = torch.zeros_like(bias) if bias is not None and needs_bias else None
            size = max(1, CHUNK_LOGITS // weight.shape[0])
            for start in range(0, len(rows), size):
                piece = slice(start, start + size)
                logits = rows[piece] @ matrix.T
                if bias is not None:
                    logits = logits + bias.to(rows.dtype)
                logits = logits.float()
                sums = logits.logsumexp(-1, keepdim=True)
                own = labels[piece, None]
                total += (sums - logits.gather(1, own)).sum()
                if grad_hidden is None and grad_weight is None and grad_bias is None:
                    continue
                change = logits.sub_(sums).exp_()
                change.scatter_add_(1, own, change.new_full(own.shape, -1.0))
                if grad_bias is not None:
                    grad_bias += change.sum(0)
                change = change.to(rows.dtype)
                if grad_hidden is not None:
                    grad_hidden[piece] = change @ matrix
                if grad_weight is not None:
                    grad_weight += change.T @ rows[piece]
        ctx.save_for_backward(grad_hidden, grad_weight, grad_bias)
        return total

    @staticmethod
    def backward(ctx: Any, scale: torch.Tensor) -> Any:  # type: ignore[override]
        """Every gradient times that of the sum."""
        found = [
            None if grad is None else grad * scale.to(grad.dtype) for grad in ctx.saved_tensors
        ]
        return *found, None
