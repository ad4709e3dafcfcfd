"""Judging again at scale: stations that recompute, clusters, what-if reports, tuning."""
