"""What is published for serving."""
