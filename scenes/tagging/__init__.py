"""Whether a label or a colour is on an image at all, as a description of the image would say.

`evidence` turns the regions of an image into a few numbers for each label and colour, and
`decision` learns from described images when the numbers are enough.
"""
