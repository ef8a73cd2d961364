"""Getting hold of AOS: engines, drivers, endpoints of the same data, and what their errors mean."""
