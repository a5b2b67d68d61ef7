import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { ErrorState, InlineError } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import styles from "../Admin.module.css";

/** What came to a webhook or was sent by one, the newest first. */
export function Deliveries<T extends { number: number; at: string }>({
  title,
  found,
  columns,
  none,
  error,
  close,
}: {
  title: string;
  found: UseInfiniteQueryResult<T[], Error>;
  /** Behind the time of each. */
  columns: readonly Column<T>[];
  /** What is said where there are none. */
  none: ReactNode;
  /** Why a delivery was not repeated. */
  error: Error | null;
  close: () => void;
}) {
  return (
    <Dialog title={title} close={close} wide>
      <div className={styles.consequences}>
        {found.isPending ? (
          <SkeletonRows count={4} />
        ) : !found.data ? (
          <ErrorState error={found.error} what="The deliveries" retry={() => found.refetch()} />
        ) : found.data.length === 0 ? (
          <p className={styles.quiet}>{none}</p>
        ) : (
          <Table
            natural
            label="Deliveries"
            columns={[AT, ...columns]}
            items={found.data}
            id={({ number }) => String(number)}
          />
        )}
        <InlineError error={error} />
        {found.hasNextPage && (
          <div>
            <Button disabled={found.isFetchingNextPage} onClick={() => found.fetchNextPage()}>
              Older deliveries
            </Button>
          </div>
        )}
      </div>
    </Dialog>
  );
}

const AT: Column<{ at: string }> = {
  key: "at",
  head: "When",
  width: "minmax(60px, 84px)",
  wraps: true,
  cell: ({ at }) => <RelativeTime at={at} />,
};

/** The button at the end of a delivery that makes or sends it again. */
export function againColumn<T extends { number: number }>(
  word: string,
  again: (number: number) => void,
  disabled: boolean,
  may: (delivery: T) => boolean = () => true,
): Column<T> {
  return {
    key: "again",
    head: <span className="sr-only">{word}</span>,
    width: "108px",
    end: true,
    cell: (delivery) =>
      may(delivery) && (
        <Button small disabled={disabled} onClick={() => again(delivery.number)}>
          {word}
        </Button>
      ),
  };
}
