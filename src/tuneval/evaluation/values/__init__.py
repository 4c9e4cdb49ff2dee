"""What answers and references say beyond text.

read           a number, a class, a set of classes, a ranking, boxes
numerals       a number in digits or Chinese numerals, with separators, percent and powers
probabilities  how sure a system is of an answer, and which of two classes is the positive one

May import: `items`, `metric` and `kinds` of evaluation. Standard library otherwise.
"""
