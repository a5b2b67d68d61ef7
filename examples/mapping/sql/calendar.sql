-- The day before the run of {{ ds }}.
SELECT '{{ macros.ds_add(ds, -1) }}' AS day
