/** Lines of `name=path`, as typed → fields; null: a line is not one. */
export function fieldsIn(text: string): Record<string, string> | null {
  const found: Record<string, string> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const [name, path] = line.split(/=(.*)/s).map((part) => part?.trim());
    if (!name || !path) return null;
    found[name] = path;
  }
  return found;
}
