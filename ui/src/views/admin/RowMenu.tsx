import { Ellipsis } from "lucide-react";
import type { ReactNode } from "react";
import { buttonClass } from "@/parts/Button.tsx";
import { Menu } from "@/parts/Menu.tsx";

/** What can be done with one row of a list. */
export function RowMenu({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Menu
      trigger={
        <button
          type="button"
          className={buttonClass({ look: "quiet", small: true }, true)}
          aria-label={`Change ${name}`}
        >
          <Ellipsis size={16} aria-hidden />
        </button>
      }
    >
      {children}
    </Menu>
  );
}
