/**
 * Colours for code that is read, not written: strings, comments, keywords, numbers and names that
 * are defined. A scanner of a few lines rather than a library of a megabyte; what it does not
 * know it leaves plain.
 */
export type Kind = "plain" | "comment" | "string" | "keyword" | "number" | "name" | "decorator";

export interface Token {
  kind: Kind;
  text: string;
}

export type Language = "python" | "yaml" | "text";

const KEYWORDS = new Set(
  `False None True and as assert async await break class continue def del elif else except finally
  for from global if import in is lambda match nonlocal not or pass raise return try while with
  yield`.split(/\s+/),
);

const PYTHON =
  /(?<comment>#[^\n]*)|(?<string>[rbfuRBFU]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|(?<decorator>@[\w.]+)|(?<number>\b\d[\w.]*)|(?<word>[A-Za-z_]\w*)/g;
const YAML =
  /(?<comment>(?<=^|\s)#[^\n]*)|(?<name>(?<=^[ \t-]{0,64}|[{,] ?)\w[\w.\-/ ]{0,120}(?=:(?:\s|$)))|(?<string>"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?)|(?<keyword>\b(?:true|false|null|yes|no)\b)|(?<number>(?<![\w.-])\d[\d.]*(?![\w-]))/gm;

export function languageOf(file: string): Language {
  if (/\.pyi?$/.test(file)) return "python";
  return /\.ya?ml$/.test(file) ? "yaml" : "text";
}

/** The tokens of each line; a string over several lines is a token in each. */
export function linesOf(text: string, language: Language): Token[][] {
  const lines: Token[][] = [[]];
  for (const token of tokensOf(text, language)) {
    const [head = "", ...rest] = token.text.split("\n");
    if (head) lines.at(-1)?.push({ kind: token.kind, text: head });
    for (const part of rest) lines.push(part ? [{ kind: token.kind, text: part }] : []);
  }
  if (lines.length > 1 && lines.at(-1)?.length === 0) lines.pop();
  return lines;
}

function tokensOf(text: string, language: Language): Token[] {
  if (language === "text") return [{ kind: "plain", text }];
  const tokens: Token[] = [];
  let reached = 0;
  let defines = false;
  for (const match of text.matchAll(language === "python" ? PYTHON : YAML)) {
    if (match.index > reached)
      tokens.push({ kind: "plain", text: text.slice(reached, match.index) });
    const kind = kindOf(match, defines);
    defines = match[0] === "def" || match[0] === "class";
    tokens.push({ kind, text: match[0] });
    reached = match.index + match[0].length;
  }
  tokens.push({ kind: "plain", text: text.slice(reached) });
  return tokens;
}

function kindOf(match: RegExpMatchArray, defines: boolean): Kind {
  const found = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0];
  if (found !== "word") return found as Kind;
  if (KEYWORDS.has(match[0])) return "keyword";
  return defines ? "name" : "plain";
}
