import type { ComponentProps, ReactNode } from "react";
import type { Verb } from "@/api/types.ts";
import { buttonClass, type Look } from "@/parts/Button.tsx";
import { Tooltip } from "@/parts/Tooltip.tsx";
import { useMay } from "@/state/session.ts";

/**
 * A button for those who have its verb. Who may not, or when it makes no sense, sees it all the same, with the
 * reason: it can be focused, and does nothing.
 */
export function ActionButton({
  needs,
  look,
  small,
  unless,
  onClick,
  children,
  ...rest
}: {
  needs: Verb;
  look?: Look;
  small?: boolean;
  /** Why not now; nothing when it can be done. */
  unless?: string | false | null;
  children: ReactNode;
} & ComponentProps<"button">) {
  const may = useMay(needs);
  const refusal = may ? unless || null : `You need ${needs} to do this: a role such as operator`;
  const button = (
    <button
      type="button"
      {...rest}
      className={buttonClass({ look: refusal ? "plain" : look, small })}
      aria-disabled={refusal !== null}
      title={refusal ?? undefined}
      onClick={refusal ? undefined : onClick}
    >
      {children}
    </button>
  );
  return refusal ? <Tooltip text={refusal}>{button}</Tooltip> : button;
}
