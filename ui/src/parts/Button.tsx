import type { ComponentProps, ReactNode } from "react";
import styles from "./Button.module.css";
import { Tooltip } from "./Tooltip.tsx";

export type Look = "plain" | "primary" | "danger" | "quiet";

interface Shape {
  look?: Look;
  small?: boolean;
}

export function buttonClass({ look = "plain", small }: Shape, square = false): string {
  return [styles.button, styles[look], small && styles.small, square && styles.square]
    .filter(Boolean)
    .join(" ");
}

export function Button({ look, small, ...rest }: Shape & ComponentProps<"button">) {
  return <button type="button" {...rest} className={buttonClass({ look, small })} />;
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
