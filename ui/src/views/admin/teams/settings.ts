import type { Team } from "@/api/types.ts";

export const WEIGHT = 1;
const WEIGHT_MAX = 1000;

export interface Form {
  name: string;
  title: string;
  slots: string;
  weight: string;
}

export function formOf(team?: Team): Form {
  return {
    name: team?.name ?? "",
    title: team?.title ?? "",
    slots: String(team?.slots ?? ""),
    weight: String(team?.weight ?? WEIGHT),
  };
}

export function wrongSlots(text: string): string | null {
  return /^\s*\d*\s*$/.test(text) ? null : "Enter a whole number, or leave empty.";
}

export function wrongWeight(text: string): string | null {
  const weight = Number(text);
  return text.trim() !== "" && weight > 0 && weight <= WEIGHT_MAX
    ? null
    : "Enter a number above 0, at most 1000; 1 is usual.";
}

export function settingsOf({ title, slots, weight }: Form) {
  return {
    title: title.trim() || null,
    slots: slots.trim() === "" ? null : Number(slots),
    weight: Number(weight),
  };
}
