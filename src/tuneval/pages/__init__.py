"""What the HTML and Markdown reports are made of; each page is one file that needs no other.

text        Text: the same thing said in English and Chinese; clipped
markup      escaped elements: sections, tables, facts, tiles
document    the frame of a page, with the styles it names
markdown    the same pieces as plain text
chart       the plot area of a chart in SVG; axis: Axis, linear_axis, log_axis
histogram, scatter, strip   charts
numbers     rounded for a reader

No script, nothing from the network; dark mode, phone and paper are the style's work.
May import: errors.
"""
