"""How to read the report: the few ideas a reader needs."""

from __future__ import annotations

from tuneval.pages.text import Text

HOW_TO_READ = (
    Text(
        "Every number stands with its 95% interval: were the evaluation repeated with other items "
        "of the same kind, 95 of 100 such intervals would hold the true value. A wide interval "
        "means few items.",
        "每个数字都附 95% 区间：若用同类的其他样本重复评测，100 个这样的区间约有 95 个包含真值。"
        "区间宽说明样本少。",
    ),
    Text(
        "Differences are paired: both models answered the same items, so that what is hard for "
        "both cancels out. Whether it worked is read from the interval of the difference, not from "
        "whether two intervals overlap.",
        "差异是配对的：两个模型回答同一批样本，共同的难点相互抵消。是否有效看差异的区间，而不是看两个区间是否重叠。",
    ),
    Text(
        "Items of one group (variants of one situation, say) are not independent; the intervals "
        "treat a group as one draw.",
        "同一分组的样本（例如同一情境的不同说法）彼此不独立；区间把一组当作一次抽样。",
    ),
    Text(
        "p is the chance of a difference this large if the two models were equally good, adjusted "
        "for the number of metrics looked at (Holm). Below 0.05 is the usual line.",
        "p 是两个模型其实一样好时出现这么大差异的概率，已按指标数量校正（Holm）；"
        "通常以 0.05 为界。",
    ),
    Text(
        "What could not be scored is counted with its reason and left out, never counted as zero.",
        "无法评分的样本会连同原因计数并排除，从不按零分计。",
    ),
)
