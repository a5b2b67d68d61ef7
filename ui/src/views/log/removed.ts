import { Problem } from "@/api/request.ts";

/** Of a log that was there and is kept no longer: since when, as a sentence. Null: it is something else. */
export function removedSentence(error: Error | null): string | null {
  if (!(error instanceof Problem) || error.code !== "log_removed") return null;
  return `${error.detail.charAt(0).toUpperCase()}${error.detail.slice(1)}.`;
}
