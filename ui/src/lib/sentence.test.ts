import { expect, test } from "vitest";
import { sentence } from "./sentence.ts";

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
