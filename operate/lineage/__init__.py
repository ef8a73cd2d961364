"""Where a reading comes from, hop by hop; and which readings a change touches."""
