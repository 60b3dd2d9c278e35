"""What the command `lablb` takes and writes."""
