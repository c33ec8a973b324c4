"""Where other programs and interpreters run."""
