const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;

/** What is wrong with the ID of a connection or the key of a variable, or nothing. */
export function wrongName(text: string): string | null {
  return text.trim() === "" || NAME.test(text.trim())
    ? null
    : "Use letters, digits, _, - and ., beginning with a letter, a digit or _.";
}
