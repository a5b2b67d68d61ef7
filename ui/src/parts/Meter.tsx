import styles from "./Meter.module.css";

/** How much of something is in use, or done. */
export function Meter({
  used,
  of,
  label,
  wide,
}: {
  used: number;
  of: number;
  label: string;
  wide?: boolean;
}) {
  const share = of > 0 ? Math.min(1, used / of) : 0;
  return (
    <span
      className={`${styles.meter} ${wide ? styles.wide : ""}`}
      role="progressbar"
      aria-label={label}
      aria-valuenow={used}
      aria-valuemin={0}
      aria-valuemax={of}
    >
      <span style={{ width: `${share * 100}%` }} />
    </span>
  );
}
