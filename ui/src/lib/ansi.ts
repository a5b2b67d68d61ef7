/**
 * What a terminal would show of a line, as pieces of text with a look. Colours (SGR) are kept, by
 * name, so that the page's own tokens paint them; every other sequence is dropped: titles, links,
 * clipboards, moves of the cursor. The answer is text and nothing but text.
 */
export interface Look {
  /** One of the 16 names of a terminal, or `#rrggbb`. */
  ink?: string;
  ground?: string;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  struck?: boolean;
  inverse?: boolean;
}

export interface Span {
  text: string;
  look: Look;
}

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
const PLAIN: Look = {};

// In this order: strings with their end (OSC, DCS, SOS, PM, APC; a string without an end reaches to
// the end of the line), control sequences, other escapes, and the control characters that are left.
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|(?=\x1b)|$)|(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~]|$)|\x1b[ -/]*[0-~]?|[\x00-\x08\x0a-\x1f\x7f-\x9f]/g;

/** The pieces of one line. `\r` within it starts it anew, as a progress bar does. */
export function spans(line: string): Span[] {
  const found: Span[] = [];
  let look = PLAIN;
  let from = 0;
  const shown = lastRewrite(line);
  for (const match of shown.matchAll(SEQUENCE)) {
    push(found, shown.slice(from, match.index), look);
    from = match.index + match[0].length;
    if (match[2] === "m") look = changed(look, match[1] ?? "");
  }
  push(found, shown.slice(from), look);
  return found;
}

/** The text alone: what is searched, copied and judged. */
export function plain(line: string): string {
  return lastRewrite(line).replace(SEQUENCE, "");
}

function lastRewrite(line: string): string {
  const text = line.replace(/\r+$/, "");
  return text.slice(text.lastIndexOf("\r") + 1);
}

function push(found: Span[], text: string, look: Look): void {
  if (text === "") return;
  const last = found.at(-1);
  if (last?.look === look) last.text += text;
  else found.push({ text, look });
}

function changed(before: Look, parameters: string): Look {
  const codes = parameters.split(/[;:]/).map((code) => (code === "" ? 0 : Number(code)));
  const look: Look = { ...before };
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) at = extended(look, code === 38 ? "ink" : "ground", codes, at);
    else apply(look, code);
  }
  return Object.keys(look).length === 0 ? PLAIN : look;
}

const SIMPLE: Record<number, (look: Look) => void> = {
  1: (look) => {
    look.bold = true;
  },
  2: (look) => {
    look.dim = true;
  },
  3: (look) => {
    look.italic = true;
  },
  4: (look) => {
    look.underline = true;
  },
  7: (look) => {
    look.inverse = true;
  },
  9: (look) => {
    look.struck = true;
  },
  22: (look) => {
    delete look.bold;
    delete look.dim;
  },
  23: (look) => {
    delete look.italic;
  },
  24: (look) => {
    delete look.underline;
  },
  27: (look) => {
    delete look.inverse;
  },
  29: (look) => {
    delete look.struck;
  },
  39: (look) => {
    delete look.ink;
  },
  49: (look) => {
    delete look.ground;
  },
};

function apply(look: Look, code: number): void {
  if (code === 0) {
    for (const key of Object.keys(look) as (keyof Look)[]) delete look[key];
    return;
  }
  const simple = SIMPLE[code];
  if (simple) simple(look);
  else if (code >= 30 && code <= 37) look.ink = NAMES[code - 30];
  else if (code >= 40 && code <= 47) look.ground = NAMES[code - 40];
  else if (code >= 90 && code <= 97) look.ink = `bright-${NAMES[code - 90]}`;
  else if (code >= 100 && code <= 107) look.ground = `bright-${NAMES[code - 100]}`;
}

/** `38;5;n` and `38;2;r;g;b`. Answers where it ended. */
function extended(look: Look, what: "ink" | "ground", codes: number[], at: number): number {
  if (codes[at + 1] === 5) {
    const colour = indexed(codes[at + 2] ?? -1);
    if (colour) look[what] = colour;
    return at + 2;
  }
  if (codes[at + 1] === 2) {
    const parts = codes.slice(at + 2, at + 5);
    if (parts.length === 3 && parts.every((part) => part <= 255)) look[what] = hex(parts);
    return at + 4;
  }
  return codes.length;
}

/** The 256 colours: 16 names, a cube of 6 × 6 × 6, 24 greys. */
function indexed(index: number): string | null {
  if (!(index >= 0 && index <= 255)) return null;
  if (index < 8) return NAMES[index] ?? null;
  if (index < 16) return `bright-${NAMES[index - 8]}`;
  if (index >= 232) return hex(Array(3).fill(8 + (index - 232) * 10));
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  return hex([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]);
}

function hex(parts: readonly number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
