// Node 20 reads no TypeScript; Vite does.
import { runnerImport } from "vite";

await runnerImport(new URL("./screenshots.ts", import.meta.url).pathname);
