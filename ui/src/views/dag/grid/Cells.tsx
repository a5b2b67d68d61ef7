import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { blocksOf, type Span } from "@/lib/grid/window.ts";
import styles from "./Grid.module.css";
import { HEAD, STEP } from "./geometry.ts";
import { paint, type Scene } from "./paint.ts";
import { type Palette, paletteOf } from "./palette.ts";
import { type Stamps, stampsOf } from "./stamps.ts";

interface Props {
  scene: Scene;
  down: Span;
  slots: number;
  left: number;
}

/** The cells in sight, painted. What they say is also in the rows, for who cannot see them. */
export function Cells({ scene, down, slots, left }: Props) {
  const palette = usePalette();
  const ratio = window.devicePixelRatio || 1;
  const stamps = useMemo(
    () => palette && stampsOf(scene.cell, ratio, palette),
    [scene.cell, ratio, palette],
  );
  if (!stamps || !palette) return null;
  return blocksOf(down, STEP, scene.rows.length, slots).map((block) => (
    <Tile
      key={block.slot}
      scene={scene}
      first={block.first}
      last={block.last}
      left={left}
      palette={palette}
      stamps={stamps}
    />
  ));
}

interface TileProps {
  scene: Scene;
  first: number;
  last: number;
  left: number;
  palette: Palette;
  stamps: Stamps;
}

/** Some rows of cells: painted when they come near the view, and not again for a scroll. */
const Tile = memo(function Tile({ scene, first, last, left, palette, stamps }: TileProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const ratio = window.devicePixelRatio || 1;
    if (canvas.current) paint(canvas.current, scene, { first, last }, stamps, palette, ratio);
  }, [scene, first, last, stamps, palette]);
  const { across, pitch, rowPitch } = scene;
  return (
    <canvas
      ref={canvas}
      className={styles.cells}
      aria-hidden
      style={{
        left: left + across.first * pitch,
        top: HEAD + first * rowPitch,
        width: (across.last - across.first) * pitch,
        height: (last - first) * rowPitch,
      }}
    />
  );
});

/** Read anew when the theme changes, by the switch or by the system. */
function usePalette(): Palette | null {
  const [palette, setPalette] = useState<Palette | null>(null);
  useEffect(() => {
    const read = () => setPalette(paletteOf(document.body));
    read();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", read);
    const observer = new MutationObserver(read);
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      dark.removeEventListener("change", read);
      observer.disconnect();
    };
  }, []);
  return palette;
}
