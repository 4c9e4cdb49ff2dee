"""What can be wrong with the form of an answer, whatever it says: one question a file.

Each function takes a text and says whether it has a fault; none follows what the text means.
May import: data.
"""
