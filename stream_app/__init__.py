"""The stream: a Faust app that cleans raw readings, joins metadata, judges and publishes them."""
