import { expect, test } from "vitest";
import { hinted, sentence } from "./sentence.ts";

test.each([
  ["this sign-in link has expired", "This sign-in link has expired"],
  ["a token needs a name", "A token needs a name"],
  ["`from` must be before `to`", "`from` must be before `to`"],
  ["'nobody' is not a user", "'nobody' is not a user"],
  ["load_orders has no retries", "load_orders has no retries"],
  ["headway open", "headway open"],
  ["Already whole.", "Already whole."],
  ["", ""],
])("%s begins as a sentence does", (said, shown) => expect(sentence(said)).toBe(shown));

test.each([
  ["to list runs: headway ls runs", "To list runs: `headway ls runs`"],
  ["headway open", "`headway open`"],
  [
    "to see what you may do: headway whoami; ask an admin",
    "To see what you may do: `headway whoami`; ask an admin",
  ],
  ["is headway up running?", "Is headway up running?"],
  ["to run them: `headway retry x`", "To run them: `headway retry x`"],
  ["use more characters: abc, abd", "Use more characters: abc, abd"],
])("%s: commands stand out", (said, shown) => expect(hinted(said)).toBe(shown));
