"""Training: a dataset goes in, a bundle comes out (`python training fit mnist --recipe digits`).

What it does: reads pictures through the same preparation as the demo, trains a network by a recipe, calibrates it,
measures it and writes the bundle. What it does not: crawl, clean data, or serve predictions.
"""
