/** A sentence of the server's, in which names stand in backticks. */
export function Words({ text }: { text: string }) {
  return text.split("`").map((part, at) =>
    at % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text, which never move
      <code key={at}>{part}</code>
    ) : (
      part
    ),
  );
}
