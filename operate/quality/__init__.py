"""How good the tests are: what they flag that is good, what they miss that is not, with plots."""
