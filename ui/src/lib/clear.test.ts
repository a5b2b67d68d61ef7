import { expect, test } from "vitest";
import { grouped, ranges, sentence } from "./clear.ts";

const key = (task_id: string, map_index = -1) => ({ task_id, map_index });

test("one row a task, in the order of the server", () => {
  expect(grouped([key("b", 2), key("b", 0), key("b", 1), key("a")])).toEqual([
    { task_id: "b", count: 3, indexes: "0–2" },
    { task_id: "a", count: 1, indexes: null },
  ]);
});

test("ranges of map indexes", () => {
  expect(ranges([7, 0, 1, 2, 9, 10])).toBe("0–2, 7, 9, 10");
  expect(ranges([5])).toBe("5");
  expect(ranges(Array.from({ length: 40 }, (_, at) => at * 2))).toMatch(
    /^0, 2, .*, 14 and 32 more$/,
  );
});

test("the sentence to agree to", () => {
  expect(sentence([key("a")], "run again", "nothing")).toBe("1 task instance will run again");
  expect(sentence([key("a", 0), key("a", 1)], "run again", "nothing")).toBe(
    "2 task instances of 1 task will run again",
  );
  expect(sentence([], "run again", "Nothing to clear")).toBe("Nothing to clear");
});
