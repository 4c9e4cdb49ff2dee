"""What is done with finished evaluations of the same items: how they differ, and how sure that is.

compare           two evaluations, paired by item; comparison: what that says; caveats: beside it
averaging         how the task averages, so that a difference is what its figures differ by
compare_several   more than two: every pair, and who cannot be told apart
family            many differences looked at together (Holm); ablation: a cell of a matrix
gate              a condition for CI: `accuracy < base - 1pt @95%`
follow            after how many items it was decided, looking after every one
rank_aggregation  one order of systems from several metrics' orders

May import: the rest of evaluation but `suites` and `stability`; statistics. No torch.
"""
