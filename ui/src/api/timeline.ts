import { queryOptions } from "@tanstack/react-query";
import { request } from "./request.ts";
import type { components } from "./schema.ts";

export type Timeline = components["schemas"]["Timeline"];
