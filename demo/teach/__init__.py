"""The Teach page: a visitor's own classes, learned from a few drawings or photographs while they come in."""
