"""What the gateway says about itself: logs and counters."""
