"""Statistics: numbers in, dataclasses out. What a measurement is worth, and what two differ by.

estimate     Estimate: a value with its interval, method and sample size
proportion   wilson, clopper_pearson, clustered_wilson
mean         t_mean, bootstrap_mean, ratio_mean
bootstrap    bootstrap: BCa interval of any statistic of sums
paired       paired_comparison (all that `compare` needs), mcnemar, tango, permutation_test
paired_sums  paired_sums_comparison: the same for a figure of the whole set
classes      macro_f1, its interval and its paired comparison
correlation  pearson, spearman
variance     variance_parts of repeated runs; repeats: what they leave to see
agreement    cohen_kappa, fleiss_kappa, krippendorff_alpha
bradley_terry, ranking  strengths from who beat whom; standings with tied sets
sequential   sequential_comparison: looked at after every item
multiple     holm
power        smallest_detectable_difference, items_needed
win_rate     mean_win_rates over scenarios, and the orders that a list's members turn round

`clusters` everywhere: one key per item; items with an equal key are not independent, None stands
alone. May import: errors, numpy, scipy.
"""
