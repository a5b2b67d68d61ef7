/** A link given by a user leads somewhere only when it is http(s); anything else stays text. */
export function safeHref(text: string): string | null {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}
