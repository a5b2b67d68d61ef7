import { safeHref } from "./links.ts";

export interface Piece {
  text: string;
  href?: string;
}

const URLISH = /\bhttps?:\/\/[^\s<>"'`\\^{}|]+/gi;

/** Addresses in a text; what is no http(s) address stays text. */
export function linkified(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(URLISH)) {
    const address = trimmed(match[0]);
    const href = safeHref(address);
    if (!href) continue;
    if (match.index > from) pieces.push({ text: text.slice(from, match.index) });
    pieces.push({ text: address, href });
    from = match.index + address.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

/** A full stop after an address ends the sentence; a bracket belongs to it only with its partner. */
function trimmed(address: string): string {
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1] ?? "";
    const body = address.slice(0, end - 1);
    const unpaired = last === ")" && !body.includes("(");
    if (!/[.,;:!?\]]/.test(last) && !unpaired) break;
    end -= 1;
  }
  return address.slice(0, end);
}
