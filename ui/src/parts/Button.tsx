import type { ComponentProps, ReactNode } from "react";
import styles from "./Button.module.css";
import { Tooltip } from "./Tooltip.tsx";

export type Look = "plain" | "primary" | "danger" | "quiet";

interface Shape {
  look?: Look;
  small?: boolean;
  /** Its text, not its edge, stands at the edge of where it is. */
  flush?: boolean;
}

export function buttonClass({ look = "plain", small, flush }: Shape, square = false): string {
  const chosen = [small && styles.small, flush && styles.flush, square && styles.square];
  return [styles.button, styles[look], ...chosen].filter(Boolean).join(" ");
}

export function Button({ look, small, flush, ...rest }: Shape & ComponentProps<"button">) {
  return <button type="button" {...rest} className={buttonClass({ look, small, flush })} />;
}

/** A button that is only a sign: its name is spoken, and told on hover. */
export function IconButton({
  label,
  look = "quiet",
  small,
  children,
  ...rest
}: Shape & { label: string; children: ReactNode } & ComponentProps<"button">) {
  return (
    <Tooltip text={label}>
      <button
        type="button"
        {...rest}
        aria-label={label}
        className={buttonClass({ look, small }, true)}
      >
        {children}
      </button>
    </Tooltip>
  );
}
