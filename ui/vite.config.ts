import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const OUT = fileURLToPath(new URL("../src/headway/ui_dist", import.meta.url));

// `npm run dev` shows the interface against a server that runs: HEADWAY_URL names it.
const server = process.env.HEADWAY_URL ?? "http://127.0.0.1:8080";
const token = process.env.HEADWAY_TOKEN;

/** Beside each text asset its Brotli and gzip, so that the server need not compress on every request. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const file of readdirSync(`${OUT}/assets`)) {
        if (!/\.(js|css|svg)$/.test(file)) continue;
        const path = `${OUT}/assets/${file}`;
        const text = readFileSync(path);
        writeFileSync(`${path}.br`, brotliCompressSync(text));
        writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"], // light-dark() stays as it is written
    // The policy of the pages allows no data: scripts or fonts; small files stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    rolldownOptions: {
      output: {
        // Not all the pages that share a file.
        chunkFileNames: ({ name }) => `assets/${name.split("~")[0]}-[hash].js`,
        assetFileNames: ({ names: [name = ""] }) => {
          const [stem, ...rest] = name.split(/[~.]/);
          return `assets/${stem}-[hash].${rest.at(-1)}`;
        },
        // A page asks for a few files: what every page needs, what many share, its own. Alone, most modules would be a file.
        codeSplitting: {
          groups: [
            { name: "frame", tags: ["$initial"] },
            {
              name: "shared",
              minShareCount: 2,
              entriesAware: true,
              entriesAwareMergeThreshold: 30_000,
            },
          ],
        },
      },
    },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 600, // the file of every page
  },
  server: {
    proxy: {
      "/api": { target: server, headers: token ? { authorization: `Bearer ${token}` } : {} },
    },
  },
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          globalSetup: "e2e/server.ts",
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // A page under test shares two processors with the servers of the other tests.
          expect: { poll: { timeout: 60_000 } },
        },
      },
    ],
  },
});
