import { expect, test } from "vitest";
import { instanceName, nameInTask } from "./instances.ts";

const book = { task_id: "book", map_index: 7 };

test("an instance is called by its name, else by its index; a task that is not mapped by its id", () => {
  expect(instanceName({ ...book, map_index: -1 })).toBe("book");
  expect(instanceName(book)).toBe("book[7]");
  expect(instanceName({ ...book, rendered_map_index: "INV-0007" })).toBe("book [INV-0007]");
  expect(nameInTask({ ...book, rendered_map_index: null })).toBe("[7]");
  expect(nameInTask({ ...book, rendered_map_index: "INV-0007" })).toBe("INV-0007");
});
