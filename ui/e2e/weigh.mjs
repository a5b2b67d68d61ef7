// Node 20 reads no TypeScript; Vite does.
import { runnerImport } from "vite";

const place = (path) => new URL(path, import.meta.url).pathname;
await runnerImport(place("./weigh.ts"), { resolve: { alias: { "@": place("../src") } } });
