export interface Schedule {
  cron?: string | null;
  interval_s?: number | null;
  once?: boolean;
  timezone?: string;
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const NUMBER = /^\d+$/;

/** A schedule in words. What has no short sentence is shown as its expression. */
export function inWords(schedule: Schedule | null | undefined): string {
  if (!schedule) return "on demand";
  if (schedule.once) return "once";
  if (schedule.interval_s) return `every ${spelled(schedule.interval_s)}`;
  if (!schedule.cron) return "on demand";
  const zone = schedule.timezone && schedule.timezone !== "UTC" ? ` ${schedule.timezone}` : "";
  const words = cronInWords(schedule.cron);
  return `${words ?? schedule.cron}${words?.startsWith("every") && !zone ? "" : zone || " UTC"}`;
}

function spelled(seconds: number): string {
  const units: [number, string][] = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  for (const [size, name] of units) {
    if (seconds % size === 0) {
      const count = seconds / size;
      return count === 1 ? name : `${count} ${name}s`;
    }
  }
  return `${seconds} seconds`;
}

function cronInWords(cron: string): string | null {
  const [minute = "", hour = "", day = "", month = "", weekday = "", ...more] = cron.split(/\s+/);
  if (more.length > 0 || month !== "*") return null;
  const everyDay = day === "*" && weekday === "*";
  if (everyDay && hour === "*") return everyMinutes(minute);
  const step = /^\*\/(\d+)$/.exec(hour)?.[1];
  if (everyDay && step && NUMBER.test(minute)) {
    return minute === "0" ? `every ${step} hours` : `every ${step} hours, ${minute} min past`;
  }
  if (!NUMBER.test(minute) || !NUMBER.test(hour)) return null;
  const clock = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  if (everyDay) return `daily at ${clock}`;
  if (day === "*") {
    const days = weekdays(weekday);
    return days && `${days} at ${clock}`;
  }
  return weekday === "*" && NUMBER.test(day) ? `monthly on day ${day} at ${clock}` : null;
}

function everyMinutes(minute: string): string | null {
  if (minute === "*") return "every minute";
  const step = /^\*\/(\d+)$/.exec(minute)?.[1];
  if (step) return step === "1" ? "every minute" : `every ${step} minutes`;
  if (!NUMBER.test(minute)) return null;
  return minute === "0" ? "every hour" : `every hour, ${minute} min past`;
}

function weekdays(field: string): string | null {
  if (/^(1-5|mon-fri)$/i.test(field)) return "weekdays";
  if (/^([06],[06]|sat,sun|sun,sat)$/i.test(field)) return "weekends";
  const named = DAYS.find((name) => name.slice(0, 3).toLowerCase() === field.toLowerCase());
  const day = named ?? (NUMBER.test(field) ? DAYS[Number(field) % 7] : undefined);
  return day ? `${day}s` : null;
}
