"""Use dictionaries made by RouteSAE in Python.

``routesae.saelens`` registers routed dictionaries with SAELens; it needs ``pip install routesae[saelens]``.
"""

__version__ = "0.1.0"
