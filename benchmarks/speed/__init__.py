"""How fast docqa is, relative to decoding the same file once, and how its cost grows."""
