import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import styles from "./Grid.module.css";
import { HEAD } from "./geometry.ts";
import { paint, type Scene } from "./paint.ts";
import { type Palette, paletteOf } from "./palette.ts";
import { stampsOf } from "./stamps.ts";

/** The cells in sight, painted. What they say is also in the rows, for who cannot see them. */
export function Cells({ scene, left }: { scene: Scene; left: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  const ratio = window.devicePixelRatio || 1;
  const stamps = useMemo(
    () => palette && stampsOf(scene.cell, ratio, palette),
    [scene.cell, ratio, palette],
  );
  useLayoutEffect(() => {
    if (canvas.current && stamps && palette) paint(canvas.current, scene, stamps, palette, ratio);
  }, [scene, stamps, palette, ratio]);
  const { down, across, pitch, rowPitch } = scene;
  return (
    <canvas
      ref={canvas}
      className={styles.cells}
      aria-hidden
      style={{
        left: left + across.first * pitch,
        top: HEAD + down.first * rowPitch,
        width: (across.last - across.first) * pitch,
        height: (down.last - down.first) * rowPitch,
      }}
    />
  );
}

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
