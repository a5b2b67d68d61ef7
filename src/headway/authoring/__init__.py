"""The authoring API: Python objects in, the spec out. DAG files import it from ``headway``."""
