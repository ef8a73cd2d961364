"""What is known of stations, sensors and calibrations, and when it held."""
