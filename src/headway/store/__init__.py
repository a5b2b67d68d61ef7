"""The only SQL. Functions take a connection and never commit; rows become values of the core here.

How statements are written, said once:

- **Fence.** A row is found by its full key in a subquery that the planner may not open, and taken by
  its place: ``FROM change CROSS JOIN LATERAL (SELECT ctid FROM t AS known WHERE known.key = change.key
  OFFSET 0) AS found WHERE t.ctid = found.ctid``. ``OFFSET 0`` is the fence. Without it a plan that was
  made while the tables were empty may read all of ``t`` for each change, and is kept when they are
  large (ADR 6).
- **MATERIALIZED** is the same fence for a ``WITH``: it is evaluated once, before what uses it.
- **Guard.** A write says which state or version the row must have. A row that is not found means that
  the model was wrong; the caller gives the transaction up.
- **Lock order.** DAGs, runs, pools, task instances, attempts, each by key: ``ORDER BY`` before
  ``FOR NO KEY UPDATE``, the weakest lock that keeps others from changing the row.
- Rows travel as one JSON parameter (``rows``), sets of states come from ``states``.
"""
