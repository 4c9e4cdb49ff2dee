"""Repeated runs of one evaluation: how far its figure moves by itself, and because of what.

repeats   repeats_of: the settings of N runs that differ in one thing; RepeatSource
acting    why_idle: where what is varied cannot change an answer
found     find_repeats: repeated runs on the disk, together by task, model and source
layout    layout_of: items × runs, what the parts of the variance are computed of
reading   read_spread: noise, watch or investigate, on the run part
sources   which of several sources moves the answers more
differ    what two runs' settings and environments differ in
stability stability: all of it
"""
