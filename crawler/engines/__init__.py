"""The image searches: one file each, with its selectors and markers as data and its reading as pure functions."""
