"""What the service adds to the pipeline, and how it stands load."""
