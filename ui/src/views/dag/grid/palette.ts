import { STATES } from "@/lib/states.ts";

export interface Palette {
  fills: Record<string, string>;
  surface: string;
  line: string;
}

/** The tokens as colours that a canvas understands, as they are now: light or dark. */
export function paletteOf(element: HTMLElement): Palette {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const read = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const fills = Object.fromEntries(STATES.map((state) => [state, read(state)]));
  const palette = { fills, surface: read("surface"), line: read("text-3") };
  probe.remove();
  return palette;
}
