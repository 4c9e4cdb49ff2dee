"""Statistics: numbers in, dataclasses out. What a measurement is worth, and what two differ by.

estimate                           Estimate: a value with its interval, method and sample size
proportion, mean, stratified       shares and means: wilson, t_mean, stratified_mean …
bootstrap, jackknife               intervals of sums, of weights and of anything over a set
paired, -_sums, -_weights, -_strata  two systems on the same items; mcnemar; multiple: holm; power
sequential                         the same, looked at after every item
variance, repeats                  item, run and interaction parts; what repeated runs leave to see
classes, auc, roc, series          F1 and its kin; areas under curves; Sharpe ratio, drawdown
agreement, correlation             kappas and alpha; pearson and spearman
bradley_terry, ranking, win_rate   strengths, standings with tied sets; rank_aggregation

`clusters`: one key per item; items with an equal key hang together, None stands alone.
May import: errors, numpy, scipy.
"""
