"""Letters: rendering, message bytes, the SMTP conversation and what comes back."""
