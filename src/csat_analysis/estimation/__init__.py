"""What moves satisfaction? A satisfaction index by a path model, its reliability, and the weight of each driver."""
