"""An installation with a year behind it, for the budgets of the interface and for its screenshots.

python -m bench.interface seed --data DIR       a million task instances
headway up --data DIR --dags DIR-dags           serves them
python -m bench.interface measure --data DIR    what reads take and weigh, while it is up
"""
