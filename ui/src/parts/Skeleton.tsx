import styles from "./Skeleton.module.css";

/** A place held in its final size until what belongs there has come. */
export function Skeleton({
  width = "100%",
  height = 12,
}: {
  width?: number | string;
  height?: number | string;
}) {
  return <span className={styles.skeleton} style={{ width, height }} aria-hidden />;
}

const WIDTHS = ["34%", "22%", "41%", "28%", "37%"];

export function SkeletonRows({ count = 12 }: { count?: number }) {
  return (
    <div className={styles.rows} role="status" aria-label="Loading">
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows that are all alike
        <div key={index} className={styles.row}>
          <Skeleton width={WIDTHS[index % WIDTHS.length]} />
          <Skeleton width={80} />
        </div>
      ))}
    </div>
  );
}
