"""The comparison of RouteSAE with its baselines, which `make paper` makes: tools/paper.py is its command.

- systems, presets: what is compared, and at which sizes; plan: the dictionaries that follow, and the sweeps.
- cost: how long it takes on two idle cores.
- program, journal: runs of routesae with a deadline, and what is done already.
- knobs, sweeps, stages, census: settings of systems without k, training, then indexing, evaluation, measures and scores.
- figures: what came out, from the catalog; measures: what each figure is called and whether more is better.
- noise, claims: which differences count; screen: the first screen of the report.
- report, method, tables, charts: the rest of it.
"""
