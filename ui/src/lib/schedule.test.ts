import { expect, test } from "vitest";
import { inWords } from "./schedule.ts";

test.each([
  [null, "on demand"],
  [{ once: true }, "once"],
  [{ interval_s: 900 }, "every 15 minutes"],
  [{ interval_s: 3600 }, "every hour"],
  [{ cron: "0 0 * * *", timezone: "Europe/Paris" }, "daily at 00:00 Europe/Paris"],
  [{ cron: "30 6 * * *" }, "daily at 06:30 UTC"],
  [{ cron: "*/15 * * * *" }, "every 15 minutes"],
  [{ cron: "* * * * *" }, "every minute"],
  [{ cron: "0 * * * *" }, "every hour"],
  [{ cron: "5 */6 * * *" }, "every 6 hours, 5 min past"],
  [{ cron: "0 9 * * 1-5" }, "weekdays at 09:00 UTC"],
  [{ cron: "0 9 * * MON" }, "Mondays at 09:00 UTC"],
  [{ cron: "0 9 1 * *" }, "monthly on day 1 at 09:00 UTC"],
  [{ cron: "0 9 1-7 * 1", timezone: "Asia/Tokyo" }, "0 9 1-7 * 1 Asia/Tokyo"],
])("%o reads %s", (schedule, words) => {
  expect(inWords(schedule)).toBe(words);
});
