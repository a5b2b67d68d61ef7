import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { type Selection, selectionOf } from "@/lib/selection.ts";

/** What is selected in a DAG's views: read from the URL, changed by changing the URL. */
export function useSelection(): [Selection, (next: Selection) => void] {
  const selection = useSearch({ from: "/t/$team/dags/$dag" });
  const navigate = useNavigate();
  const select = useCallback(
    (next: Selection) =>
      navigate({
        to: ".",
        search: (before) => {
          const { run: _run, task: _task, map: _map, try: _try, state: _state, ...rest } = before;
          return { ...rest, ...selectionOf({ ...next }) };
        },
        resetScroll: false,
      }),
    [navigate],
  );
  return [selection, select];
}
