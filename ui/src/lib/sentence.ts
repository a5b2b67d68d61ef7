/** What the server says in passing, as a sentence of its own: it begins with a capital, but for a name or a command. */
export function sentence(text: string): string {
  return text.replace(/^(?!headway )[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());
}

const COMMAND = /(?<=: |^)headway [a-z][^`;,]*/g;

/** The next step, with its commands marked as such: to list runs: `headway ls runs`. */
export function hinted(text: string): string {
  return sentence(text).replace(COMMAND, (command) => `\`${command}\``);
}
