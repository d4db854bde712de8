"""Learning a head on vectors, measuring and describing what came out: what training and the demo share."""
