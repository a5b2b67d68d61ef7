import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { backfills } from "@/api/queries.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { Page } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { Table } from "@/parts/Table.tsx";
import { useMay } from "@/state/session.ts";
import { COLUMNS } from "./columns.tsx";
import { NewBackfill } from "./NewBackfill.tsx";

/** Runs for the dates of the past: how far they are, and the way to begin and to end them. */
export function Backfills() {
  const found = useInfiniteQuery(backfills());
  const mayRun = useMay("run.backfill");
  const [making, setMaking] = useState(false);
  const make = mayRun && (
    <Button look="primary" onClick={() => setMaking(true)}>
      <Plus size={14} aria-hidden />
      New backfill
    </Button>
  );
  return (
    <Page title="Backfills" actions={make}>
      {found.isPending ? (
        <SkeletonRows />
      ) : found.isError && !found.data ? (
        <ErrorState error={found.error} what="The backfills" retry={() => found.refetch()} />
      ) : found.data.length === 0 ? (
        <EmptyState
          title="No backfills yet"
          command="headway backfill DAG --from 2026-01-01 --to 2026-01-31"
        >
          <p>A backfill runs a DAG once for each date of its schedule in a period.</p>
        </EmptyState>
      ) : (
        <Table
          label="Backfills"
          columns={COLUMNS}
          items={found.data}
          id={(backfill) => backfill.backfill_id}
          hasMore={found.hasNextPage && !found.isFetchingNextPage}
          more={found.fetchNextPage}
        />
      )}
      {making && <NewBackfill close={() => setMaking(false)} />}
    </Page>
  );
}
