/** `1 run`, `1,500 runs`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

export function number(count: number): string {
  return count.toLocaleString("en-US");
}

/** `1.2 GB`; powers of 1000, as disks are sold and `ls -h --si` counts. */
export function bytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let rest = size;
  while (rest >= 999.5 && at < units.length - 1) {
    rest /= 1000;
    at += 1;
  }
  return `${at === 0 || rest >= 99.5 ? Math.round(rest) : rest.toFixed(1)} ${units[at]}`;
}
