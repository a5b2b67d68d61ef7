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
          const others = Object.entries(before).filter(([name]) => !(name in selectionOf({})));
          return { ...Object.fromEntries(others), ...selectionOf({ ...next }) };
        },
        resetScroll: false,
      }),
    [navigate],
  );
  return [selection, select];
}
